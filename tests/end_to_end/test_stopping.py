"""However the cluster ends, it leaves no process and no temporary folder behind."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from darkroom.cluster.servers import PROJECT, free_ports, port_is_free, shared_folder
from tests.end_to_end.running import UP_WITHIN_S, RunningCluster, running_cluster

pytestmark = pytest.mark.stack

MODELS = ("defects", "straighten")  # as good as all five to see whether anything is left


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def starting(tmp_path):
    """Two model servers whose workers have started; a cluster need not be ready to end."""
    for name in MODELS:
        (tmp_path / f"{name}.mar").symlink_to(PROJECT / "model-store" / f"{name}.mar")
    with running_cluster(tmp_path, tmp_path) as cluster:
        cluster.wait_until(lambda: len(workers(cluster)) == len(MODELS))
        yield cluster, cluster.processes()


def test_broken_archive_ends_the_start(tmp_path):
    """An archive that no worker can load: the start is given up with its name and log."""
    (tmp_path / "defects.mar").touch()
    words = ["up", "--port", str(next(free_ports(19_500))), "--model-store", str(tmp_path)]

    ended = subprocess.run(
        [sys.executable, "-m", "darkroom.cli", *words],
        capture_output=True,
        text=True,
        timeout=UP_WITHIN_S,
    )

    assert ended.returncode == 1
    assert re.search(r"defects ended \d+ times before it was ready. Its log: ", ended.stderr)


def left_over(cluster: RunningCluster) -> list[Path]:
    """The cluster's temporary folders: for sockets and unpacked archives, and for shared photos."""
    shared = shared_folder(cluster.port)
    there = [shared] if shared is not None and shared.exists() else []
    return [*cluster.temporary.glob("darkroom-*"), *there]


def workers(cluster: RunningCluster) -> list[psutil.Process]:
    if cluster.process.poll() is not None:
        pytest.fail(cluster.output)
    return [p for p in cluster.processes() if "model_service_worker" in " ".join(cmdline(p))]


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it is just starting or ending
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_everything(starting, number):
    """Ctrl-C and SIGTERM: exit status 0, no process, no folder, and the port is free again."""
    cluster, processes = starting
    assert len(processes) >= 2 * len(MODELS) + 1  # JVMs, workers, the gateway
    assert left_over(cluster)

    cluster.process.send_signal(number)

    assert cluster.process.wait(timeout=60) == 0, cluster.output
    assert not [process for process in processes if is_running(process)]
    assert not left_over(cluster)
    assert port_is_free("127.0.0.1", cluster.port)


def test_killed_outright_leaves_nothing(starting):
    """Kill -9 of `darkroom up`: its guard ends the servers, their workers, itself."""
    cluster, processes = starting

    cluster.process.kill()
    cluster.process.wait()

    cluster.wait_until(lambda: not any(map(is_running, processes)), seconds=60)
    cluster.wait_until(lambda: not left_over(cluster), seconds=10)
