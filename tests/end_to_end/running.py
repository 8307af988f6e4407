"""A real cluster for tests: `darkroom up` as a person would start it, on free ports."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from darkroom.cluster.guard import members
from darkroom.cluster.servers import PROJECT, free_ports

UP_WITHIN_S = 900.0  # bounds a hang; on a very busy machine a first start takes minutes


class RunningCluster:
    """The process of one `darkroom up`, what it prints and what it has started."""

    def __init__(self, folder: Path, temporary: Path, model_store: Path) -> None:
        self.temporary = temporary  # what this cluster alone uses for the system's folder
        # Far from a developer's own cluster on 9000.
        self.port = next(free_ports(19_000))
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = folder / f"up-{self.port}.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "darkroom.cli", "up"),
                    *("--port", str(self.port), "--model-store", str(model_store)),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                # The same photo again and again is to be work.
                env=os.environ | {"TMPDIR": str(temporary), "DARKROOM_CACHE_TTL_S": "0"},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until the cluster has printed a text."""
        self.wait_until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output

    def wait_until(self, condition: Callable[[], object], seconds: float = UP_WITHIN_S) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """Every process that the cluster has started, itself left out."""
        children = psutil.Process(self.process.pid).children()
        return [process for child in children for process in members(child.pid)]

    def server(self, name: str) -> psutil.Process:
        """The Java process of a model server."""
        return next(p for p in self.processes() if f"{name}={name}.mar" in p.cmdline())

    def worker(self, name: str) -> psutil.Process:
        """The Python process in which a model server runs its network."""
        return next(
            p for p in members(self.server(name).pid) if "model_service_worker" in str(p.cmdline())
        )

    def is_ready(self) -> bool:
        try:
            return bool(self.get_json("/readyz")["ready"])
        except OSError:
            return False

    def wait_until_healed(self) -> None:
        """Wait until every model server answers again after one of them has been harmed."""
        time.sleep(1.5)  # for so long `/readyz` may tell of the time before
        self.wait_until(self.is_ready)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return str(reply.read().decode())

    def get_json(self, path: str) -> dict[str, object]:
        document = json.loads(self.get(path))
        assert isinstance(document, dict)
        return document

    def total_mb(self) -> int:
        """Memory of the whole cluster as it was printed when it was ready."""
        found = re.search(r"\((\d+) MB in all\)", self.output)
        assert found, self.output
        return int(found[1])

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextmanager
def running_cluster(
    folder: Path, model_store: Path = PROJECT / "model-store"
) -> Iterator[RunningCluster]:
    # Not pytest's own: the path of a worker's socket must be short.
    with tempfile.TemporaryDirectory(prefix="dr") as temporary:
        cluster = RunningCluster(folder, Path(temporary), model_store)
        try:
            yield cluster
        finally:
            if cluster.process.poll() is None:
                cluster.stop()
