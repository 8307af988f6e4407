"""The smallest cluster of containers that mends a photo: built, started, scaled and struck."""

import time
from collections.abc import Iterator

import pytest

from darkroom.blocking import Darkroom
from tests.containers.engine import Compose, docker, inspect, wait_until
from tests.containers.load import Senders, dark_photo

pytestmark = pytest.mark.containers

MODELS = ("defects", "tone")
AT_ONE_REPLICA = 2  # photos, as DARKROOM_REPLICA_DEPTH has it
OUT_WITHIN_S = 10.0  # for machines that are busy; on others it takes less than a second

FIND_JAVA = "import psutil; (java,) = [p for p in psutil.process_iter() if p.name() == 'java']"


@pytest.fixture(scope="module")
def two_models() -> Iterator[Compose]:
    """Gateway, `defects` and `tone`; nothing stands at the names of Redis and PostgreSQL."""
    absent = {f"DARKROOM_{name}_URL": "" for name in ("RESTORE", "STRAIGHTEN", "COLORIZE")}
    compose = Compose(**absent)
    try:
        compose.build()
        print(f"ready after {compose.start('gateway', *MODELS):.0f} s")
        yield compose
    finally:
        compose.end()


def test_photo_goes_through_containers(two_models):
    """Built from the project's own files, a dark photo comes back mended; so does one by name."""
    with Darkroom(two_models.url) as darkroom:
        twice = [darkroom.enhance(dark_photo(), budget_ms=20_000) for _ in range(2)]

    assert all(enhanced.photo is not None for enhanced in twice)
    # `tone` has found what `defects` decoded, so both see the gateway's folder in memory.
    assert {enhanced.report.steps[0].by.notes["pixels"] for enhanced in twice} == {"shared"}


def test_killed_container_costs_at_most_what_it_had_in_hand(two_models):
    """`kill -9` of one of two under load: the other goes on alone, soon."""
    two_models.scale("tone", 2)
    victim = two_models.containers("tone")[0]
    (network,) = inspect(victim)["NetworkSettings"]["Networks"].values()
    with Senders(two_models.url, clients=4) as senders:
        wait_until(lambda: senders.mended > 3)
        docker("kill", victim)
        killed_at = time.monotonic()
        wait_until(lambda: network["IPAddress"] not in two_models.trusted("tone"), OUT_WITHIN_S)
        out_after_s = time.monotonic() - killed_at
        before = senders.mended
        wait_until(lambda: senders.mended > before + 3)

    print(f"out of traffic after {out_after_s:.2f} s, {len(senders.failed)} failed")
    assert len(senders.failed) <= AT_ONE_REPLICA
    two_models.scale("tone", 1)


def test_java_takes_the_archive_of_its_classes(two_models):
    """What the image brings along for all model servers is mapped."""
    (container,) = two_models.containers("tone")
    look = f"{FIND_JAVA}; print(open(f'/proc/{{java.pid}}/maps').read())"

    assert "/etc/darkroom/classes.jsa" in docker("exec", container, "python", "-c", look)


def test_crashed_server_is_started_again(two_models):
    """Java killed inside its container: the container ends and comes back by itself."""
    (container,) = two_models.containers("defects")
    # Detached, as the container ends before the command could return.
    docker("exec", "--detach", container, "python", "-c", f"{FIND_JAVA}; java.kill()")
    wait_until(lambda: inspect(container)["RestartCount"] == 1)
    wait_until(two_models.is_ready)


def test_scaling_up_and_down_loses_nothing(two_models):
    """Three containers of `tone`, then one again, under load."""
    with Senders(two_models.url) as senders:
        two_models.scale("tone", 3)
        two_models.scale("tone", 1)

    assert senders.failed == []
    assert senders.mended > 0
