"""A real PostgreSQL, started once for all tests that need one."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from darkroom.contracts.errors import JobsUnavailable
from gateway.jobs.embedded import embedded_url
from gateway.jobs.migrating import migrate

ROOT = Path(__file__).parents[2]


class Postgres:
    """The embedded server, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder.parent / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.jobs.embedded", str(self.folder)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url).close()
            except (JobsUnavailable, psycopg.OperationalError):
                assert self._process.poll() is None, "it ended"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Disconnect everybody and end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)

    @property
    def url(self) -> str:
        return embedded_url(self.folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not pytest's own folder: where we are root, PostgreSQL runs as somebody who may not go there.
    parent = Path(tempfile.mkdtemp(prefix="darkroom-"))
    server = Postgres(parent / "database")
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        # A test may stop the server, never the machine.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    asyncio.run(_migrate(server.url))
    yield server
    server.stop(signal.SIGQUIT)  # without writing down what nobody will read
    shutil.rmtree(parent)


async def _migrate(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await migrate(connection)


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """The database as it is after its migrations."""
    tables = "procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE sessions, photos, orders, jobs, votes, {tables} CASCADE")
    return postgres.url
