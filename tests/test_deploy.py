"""The containers' files, and, where an engine runs, the containers themselves."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from darkroom.client import Darkroom
from darkroom.cluster.environment import WORKER_ENVIRONMENT
from darkroom.cluster.readiness import draw_dark_room
from darkroom.cluster.servers import free_ports
from darkroom.contracts.errors import ServiceError

PROJECT = Path(__file__).parents[1]
COMPOSE = PROJECT / "docker-compose.yml"
STACK = PROJECT / "deploy" / "stack.yml"
MODELS = "defects tone"  # enough for a photo to go all the way


def test_workers_get_the_measured_environment():
    """What `darkroom up` gives its model servers, the image gives its own."""
    text = (PROJECT / "deploy" / "model.Dockerfile").read_text()
    said = dict(re.findall(r"^\s*(?:ENV )?([A-Z_]+)=(\S+)", text, re.MULTILINE))

    assert said | WORKER_ENVIRONMENT == said


def test_only_the_gateway_is_published_and_on_loopback():
    """Model servers, Redis and PostgreSQL are reached by nobody from outside."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]

    assert {name for name, service in services.items() if "ports" in service} == {"gateway"}
    assert services["gateway"]["ports"][0].startswith("${DARKROOM_BIND:-127.0.0.1}:")
    assert all("outside" not in services[name]["networks"] for name in ("tone", "redis"))


@pytest.mark.parametrize("file", [COMPOSE, STACK], ids=["compose", "stack"])
def test_every_container_is_bounded(file):
    """Memory and processes have limits, and the root is read-only except for the database's."""
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        if name == "load":
            continue
        assert service.get("mem_limit") or limits.get("memory"), name
        if "darkroom" in service["image"]:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service.get("pids_limit") or limits.get("pids"), name


class Compose:
    """One project of containers, on a port of its own."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self.port = next(free_ports(22_000))
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = (*command, "-p", f"darkroom-test-{self.port}", "-f", str(COMPOSE))
        self._environment = os.environ | {
            "DOCKER_BUILDKIT": "0",  # the classic builder is there with every engine
            "DARKROOM_PORT": str(self.port),
            "DARKROOM_MODELS": MODELS,
            "DARKROOM_RESTORE_URL": "",
            "DARKROOM_STRAIGHTEN_URL": "",
            "DARKROOM_COLORIZE_URL": "",
            "DARKROOM_CACHE_TTL_S": "0",  # the same photo again and again is to be work
        }

    def __call__(self, *words: str, within_s: float = 120) -> str:
        done = subprocess.run(
            (*self._command, *words),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def trusted(self, server: str) -> int:
        """The replicas that the gateway sends photos to."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as reply:
            text = reply.read().decode()
        line = re.compile(rf'darkroom_replica_trusted{{.*server="{server}"}} 1')
        return len(line.findall(text))

    def wait_until(self, condition, within_s: float = 240) -> None:
        deadline = time.monotonic() + within_s
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                logs = self("logs", "--tail", "50")
                raise AssertionError(f"not within {within_s} s\n{logs[-6000:]}")
            time.sleep(0.3)

    def is_ready(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=30) as reply:
            return bool(json.load(reply)["ready"])


@pytest.fixture(scope="module")
def compose():
    """The cluster, built and started: gateway, Redis and one container for each model."""
    command = next(
        (
            words
            for words in (("docker", "compose"), ("docker-compose",))
            if _runs(*words, "version")
        ),
        None,
    )
    if command is None or not _runs("docker", "info"):
        pytest.skip("no container engine runs on this machine")
    compose = Compose(command)
    try:
        compose("build", "gateway", "defects", within_s=1500)
        compose("up", "-d", "--no-build", "gateway", "redis", *MODELS.split())
        compose.wait_until(compose.is_ready)
        yield compose
    finally:
        compose("down", "-v", "-t", "20")


def _runs(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Senders:
    """Clients that send a dark photo again and again in threads; what became of each."""

    def __init__(self, url: str, clients: int = 2) -> None:
        self._url, self._clients = url, clients
        self._photo = draw_dark_room()
        self._stop = False
        self.mended = 0
        self.failed: list[str] = []

    def __enter__(self) -> "Senders":
        self._pool = ThreadPoolExecutor(self._clients)
        self._futures = [self._pool.submit(self._send) for _ in range(self._clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        for future in self._futures:
            future.result()
        self._pool.shutdown()

    def _send(self) -> None:
        with Darkroom(self._url) as darkroom:
            while not self._stop:
                try:
                    self.mended += darkroom.enhance(self._photo, budget_ms=20_000).photo is not None
                except ServiceError as error:
                    self.failed.append(error.code)


@pytest.mark.containers
def test_photo_goes_through_containers(compose):
    """Built from the project's own files, a photo comes back mended."""
    with Darkroom(compose.url) as darkroom:
        assert darkroom.enhance(draw_dark_room(), budget_ms=20_000).photo is not None


@pytest.mark.containers
def test_scaling_up_and_down_loses_nothing(compose):
    """Three containers of `tone`, then one again, under load."""
    with Senders(compose.url) as senders:
        compose("up", "-d", "--no-build", "--no-recreate", "--scale", "tone=3", "tone")
        compose.wait_until(lambda: compose.trusted("tone") == 3)
        compose("up", "-d", "--no-build", "--no-recreate", "--scale", "tone=1", "tone")
        compose.wait_until(lambda: compose.trusted("tone") == 1)

    assert senders.failed == []
    assert senders.mended > 0


@pytest.mark.containers
def test_killed_container_costs_at_most_what_it_had_in_hand(compose):
    """`kill -9` of one of two under load: what it was working on is asked of the other."""
    compose("up", "-d", "--no-build", "--no-recreate", "--scale", "tone=2", "tone")
    compose.wait_until(lambda: compose.trusted("tone") == 2)
    victim = compose("ps", "-q", "tone").split()[0]
    with Senders(compose.url) as senders:
        compose.wait_until(lambda: senders.mended > 3)
        subprocess.run(("docker", "kill", victim), check=True, capture_output=True)
        compose.wait_until(lambda: compose.trusted("tone") == 1)
        before = senders.mended
        compose.wait_until(lambda: senders.mended > before + 3)

    assert len(senders.failed) <= 2


@pytest.mark.containers
def test_gateway_works_without_redis(compose):
    """Stopped under load: no photo notices."""
    with Senders(compose.url) as senders:
        compose("stop", "-t", "5", "redis")
        before = senders.mended
        compose.wait_until(lambda: senders.mended > before + 3)
    compose("start", "redis")

    assert senders.failed == []
