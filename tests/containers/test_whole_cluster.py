"""All of `docker-compose.yml`: every service does its work, bounded and shut in as promised."""

import threading
import time

import pytest

from darkroom.blocking import Darkroom
from darkroom.contracts.jobs import JobStatus
from darkroom.jobs import AsyncJobs
from handlers.archives import ARCHIVES
from tests.containers.engine import docker, inspect, wait_until
from tests.containers.load import Senders, dark_photo

pytestmark = pytest.mark.containers

OURS = ("gateway", "worker", *ARCHIVES)
DATABASES = ("redis", "postgres")


def in_container(container: str, python: str) -> str:
    return docker("exec", container, "python", "-c", python).strip()


def test_every_container_becomes_healthy(cluster):
    """Each health check says so in the end, and nothing had to be started twice."""

    def states() -> dict[str, str]:
        found = {name: inspect(cluster.containers(name)[0]) for name in (*OURS, *DATABASES)}
        assert all(container["RestartCount"] == 0 for container in found.values())
        return {
            name: container["State"].get("Health", {}).get("Status", "unchecked")
            for name, container in found.items()
        }

    wait_until(lambda: set(states().values()) == {"healthy", "unchecked"})
    assert [name for name, state in states().items() if state == "unchecked"] == ["worker"]


def test_photo_is_mended_and_coloured(cluster):
    """`/enhance_image` and `/colorize`, by the model servers of this project."""
    with Darkroom(cluster.url) as darkroom:
        assert darkroom.enhance(dark_photo(), budget_ms=20_000).photo is not None
        assert darkroom.colorize(dark_photo(), model="lite", budget_ms=20_000).photo is not None


async def test_job_is_worked_on(cluster, tmp_path):
    """A photo posted as a job is taken from PostgreSQL by the worker and comes back."""
    photo = tmp_path / "room.png"
    photo.write_bytes(dark_photo())
    async with AsyncJobs(cluster.url, session="session-of-the-tests") as jobs:
        job = await jobs.ended(await jobs.submit(photo))

        assert job.status is JobStatus.COMPLETED
        assert (await jobs.result(job)).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", OURS)
def test_container_is_shut_in(cluster, name):
    """Nobody is root, the root is read-only, and no capability is left."""
    (container,) = cluster.containers(name)
    status = in_container(container, "print(open('/proc/self/status').read())")

    assert "Uid:\t10001\t10001" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    mounts = in_container(container, "print(open('/proc/mounts').read())")
    root = next(line.split()[3] for line in mounts.splitlines() if line.split()[1] == "/")
    assert root.split(",")[0] == "ro"


@pytest.mark.parametrize("name", [*ARCHIVES, *DATABASES])
def test_container_reaches_nothing_outside(cluster, name):
    """Model servers and databases are on one network, which the engine connects to no other."""
    (container,) = cluster.containers(name)
    (network,) = inspect(container)["NetworkSettings"]["Networks"]

    assert docker("network", "inspect", "--format", "{{.Internal}}", network).strip() == "true"


def test_memory_is_well_within_its_limit(cluster):
    """After photos of all kinds each container has taken three quarters of its limit at most."""
    shares = docker("stats", "--no-stream", "--format", "{{.MemPerc}} {{.MemUsage}} {{.Name}}")
    ours = [line for line in shares.splitlines() if cluster.project in line]
    print(*ours, sep="\n")

    assert [line for line in ours if float(line.partition("%")[0]) > 75] == []


@pytest.mark.parametrize("way", ["stop", "pause"])
@pytest.mark.parametrize("name", DATABASES)
def test_interactive_routes_do_without(cluster, name, way):
    """Redis or PostgreSQL gone, or there and silent: no photo notices."""
    with Senders(cluster.url) as senders:
        cluster(way, name)
        before = senders.mended
        wait_until(lambda: senders.mended > before + 10)
        assert cluster.is_ready()
        cluster("start" if way == "stop" else "unpause", name)

    print(f"the slowest took {senders.slowest_s:.1f} s")
    assert senders.failed == []


def test_gateway_that_has_to_stop_loses_nothing(cluster):
    """SIGTERM under load: a balancer that asks `/readyz` has every photo answered."""
    (gateway,) = cluster.containers("gateway")
    leaving = threading.Event()

    def watch() -> None:
        while not leaving.is_set():
            try:
                ready = cluster.is_ready()
            except OSError:  # 503, or nobody there any more
                ready = False
            if not ready:
                leaving.set()
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    with Senders(cluster.url, clients=4, may_send=lambda: not leaving.is_set()) as senders:
        wait_until(lambda: senders.mended > 3)
        watcher.start()
        docker("stop", "--time", "30", gateway)
    watcher.join()

    assert senders.failed == []
    assert inspect(gateway)["State"]["ExitCode"] == 0
    docker("start", gateway)
    wait_until(cluster.is_ready)
