"""`deploy/stack.yml` on a Swarm of one node: scaled, updated and rolled back under load."""

import time
from collections.abc import Iterator

import pytest

from tests.containers.engine import Compose, docker, run, wait_until
from tests.containers.load import Senders
from tests.containers.swarm import NAME, Stack, swarm
from tests.trial.worse import DARKER, build_worse_tone

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    Compose().build()  # Swarm runs images and builds none
    with swarm("127.0.0.1"):
        stack = Stack(tmp_path_factory.mktemp("stack"))
        try:
            print(f"ready after {stack.start():.0f} s")
            yield stack
        finally:
            stack.end()


def test_jobs_have_a_database_and_a_worker(stack):
    """PostgreSQL, Redis and the worker run beside the model servers."""
    wait_until(lambda: stack.jobs() == {"database": "ok", "worker": "ok"})


def test_scaling_loses_nothing(stack):
    """Three replicas of `tone`, then two again, under load."""
    with Senders(stack.url) as senders:
        for replicas in (3, 2):
            docker("service", "scale", "--detach", f"{NAME}_tone={replicas}")
            wait_until(lambda wanted=replicas: len(stack.trusted("tone")) == wanted)

    assert senders.failed == []
    assert senders.mended > 0


def test_rolling_update_loses_nothing(stack):
    """Every replica of `tone` replaced by one of another image, one after the other, under load."""
    before = stack.trusted("tone")
    docker("tag", "darkroom-model:test", "darkroom-model:test-next")
    with Senders(stack.url) as senders:
        started = time.monotonic()
        stack.update("tone", "--image", "darkroom-model:test-next")
        wait_until(lambda: stack.update_state("tone") == "completed")
        print(
            f"updated after {time.monotonic() - started:.0f} s, {senders.mended} photos meanwhile"
        )

    assert senders.failed == []
    assert senders.mended > 0
    wait_until(lambda: len(stack.trusted("tone")) == 2 and not stack.trusted("tone") & before)


@pytest.fixture(scope="module")
def another(tmp_path_factory) -> str:
    """An image whose `tone` is of another version, worse where the variable WORSE says so."""
    image = "darkroom-model:test-another"
    store = build_worse_tone(tmp_path_factory.mktemp("worse"))
    lines = "FROM darkroom-model:test", "COPY tone.mar archives.sha256 /archives/"
    (store / "Dockerfile").write_text("\n".join(lines))
    run("docker", "build", "--quiet", "--tag", image, str(store))
    return image


def test_darker_version_is_refused_and_rolled_back(stack, another):
    """An update whose photos are darker by 3 dB: tried, never used, and what was there stays."""
    before = stack.trusted("tone")
    with Senders(stack.url) as senders:
        started = time.monotonic()
        stack.update("tone", "--image", another, "--env-add", f"WORSE={DARKER}")
        wait_until(lambda: stack.update_state("tone") == "rollback_completed")
        print(f"refused and rolled back after {time.monotonic() - started:.0f} s")
        time.sleep(2)  # what the gateway needs to notice anything

    print(said := stack.trials("tone"))
    assert "REFUSED" in said
    assert "darker" in said
    assert senders.failed == []
    assert senders.mended > 0
    assert before <= stack.trusted("tone")


def test_another_version_as_good_is_taken(stack, another):
    """Tried beside a sibling that has clients meanwhile, it takes over, and no photo is lost."""
    before = stack.trusted("tone")
    with Senders(stack.url) as senders:
        started = time.monotonic()
        stack.update("tone", "--image", another)
        wait_until(lambda: stack.update_state("tone") == "completed")
        print(f"tried and updated after {time.monotonic() - started:.0f} s")

    print(said := stack.trials("tone"))
    assert "good enough" in said
    assert senders.failed == []
    assert senders.mended > 0
    wait_until(lambda: len(stack.trusted("tone")) == 2 and not stack.trusted("tone") & before)


def test_update_that_cannot_work_is_rolled_back(stack):
    """An update whose network cannot be loaded: what was there stays, and no photo notices."""
    before = stack.trusted("tone")
    with Senders(stack.url) as senders:
        started = time.monotonic()
        stack.update("tone", "--env-add", "MODEL=nonsense")
        wait_until(lambda: stack.update_state("tone") == "rollback_completed")
        print(f"rolled back after {time.monotonic() - started:.0f} s")
        time.sleep(2)  # what the gateway needs to notice anything

    assert senders.failed == []
    assert senders.mended > 0
    assert stack.trusted("tone") & before
