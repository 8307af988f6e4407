"""Real model servers for trials: TorchServe processes of any archive, without a gateway."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from darkroom.cluster.servers import Layout, another_replica, free_ports
from darkroom.trial.replica import NoAnswer, Replica
from darkroom.trial.samples import TINY, samples_for

UP_WITHIN_S = 300.0  # bounds a hang


@contextmanager
def tone_server(folder: Path, store: Path, number: int, worse: str = "") -> Iterator[Replica]:
    """TorchServe with the archive `tone` of a store, once it answers; `folder` has a short path."""
    layout = Layout("127.0.0.1", next(free_ports(19_600)), store, folder, folder)
    server = another_replica(layout, "tone", number, ())
    server = replace(server, environment=server.environment | {"WORSE": worse})
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server.command, cwd=server.folder, env=server.environment, stdout=log, stderr=log
        )
    try:
        found = Replica("tone", server.environment["TS_INFERENCE_ADDRESS"])
        _wait_for(found, server.log)
        yield found
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(replica: Replica, log: Path) -> None:
    sample = samples_for("tone", TINY)[0]
    until = time.monotonic() + UP_WITHIN_S
    while True:
        try:
            replica.ask(sample)
            return
        except NoAnswer:
            assert time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(0.2)
