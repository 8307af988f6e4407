"""However the cluster ends, it leaves no process and no temporary folder behind."""

import signal
import tempfile
from pathlib import Path

import psutil
import pytest

from darkroom.cluster.servers import port_is_free
from tests.end_to_end.running import RunningCluster, running_cluster

pytestmark = pytest.mark.stack


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def temporary_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("darkroom-*"))


@pytest.fixture
def starting(tmp_path):
    """A cluster whose model servers have started their workers; it need not be ready to end."""
    before = temporary_folders()
    with running_cluster(tmp_path) as cluster:
        cluster.wait_until(lambda: len(workers(cluster)) == 2)
        yield cluster, cluster.processes(), temporary_folders() - before


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
    cluster, processes, folders = starting
    assert len(processes) >= 6  # two JVMs, two workers, the gateway, the guard
    assert folders

    cluster.process.send_signal(number)

    assert cluster.process.wait(timeout=60) == 0, cluster.output
    assert not [process for process in processes if is_running(process)]
    assert not any(folder.exists() for folder in folders)
    assert port_is_free("127.0.0.1", cluster.port)


def test_killed_outright_leaves_nothing(starting):
    """Kill -9 of `darkroom up`: its guard ends the servers, their workers, itself."""
    cluster, processes, folders = starting

    cluster.process.kill()
    cluster.process.wait()

    cluster.wait_until(lambda: not any(map(is_running, processes)), seconds=60)
    cluster.wait_until(lambda: not any(folder.exists() for folder in folders), seconds=10)
