"""The container engine for tests: commands, images and projects of containers."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from darkroom.cluster.servers import free_ports

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "docker-compose.yml"
# Not the names that a developer's own images have.
IMAGES = {
    "DARKROOM_MODEL_IMAGE": "darkroom-model:test",
    "DARKROOM_GATEWAY_IMAGE": "darkroom-gateway:test",
}
BUILD_WITHIN_S = 1800.0  # the first time everything is downloaded; on a busy machine more slowly
READY_WITHIN_S = 600.0  # bounds a hang: on a busy machine five model servers warm up for minutes


def run(*command: str, within_s: float = 120, **environment: str) -> str:
    """What a command prints, which has to succeed."""
    done = subprocess.run(
        command,
        env=os.environ | {"DOCKER_BUILDKIT": "0"} | environment,  # there with every engine
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def docker(*words: str, within_s: float = 120) -> str:
    return run("docker", *words, within_s=within_s)


@cache
def compose_command() -> tuple[str, ...]:
    """How Compose is called here. Skips the test where no engine runs."""
    for words in (("docker", "compose"), ("docker-compose",)):
        if _succeeds(*words, "version") and _succeeds("docker", "info"):
            return words
    pytest.skip("no container engine runs on this machine")


def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def need_image(name: str) -> None:
    """Skip the test where an image is neither here nor to be had."""
    if not (_succeeds("docker", "image", "inspect", name) or _succeeds("docker", "pull", name)):
        pytest.skip(f"the image {name} is not here and cannot be pulled")


def wait_until(condition: Callable[[], object], within_s: float = READY_WITHIN_S) -> float:
    """Ask again and again; returns the seconds it took. A service may not be there yet."""
    started = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - started
        except OSError:
            pass
        assert time.monotonic() < started + within_s, f"not within {within_s} s"
        time.sleep(0.1)


class Gateway:
    """What tests ask of a gateway besides photos."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return str(reply.read().decode())

    def is_ready(self) -> bool:
        return bool(json.loads(self.get("/readyz"))["ready"])

    def jobs(self) -> object:
        """What `/readyz` says of the database and the workers."""
        return json.loads(self.get("/readyz"))["jobs"]

    def trusted(self, server: str) -> set[str]:
        """The replicas of a model server that get photos: their IP addresses."""
        line = r'^darkroom_replica_trusted{{replica="http://([\d.]+):.*server="{}"}} 1'
        return set(re.findall(line.format(server), self.get("/metrics"), re.MULTILINE))


class Compose(Gateway):
    """The project's Compose file as a project of its own, on a port of its own."""

    def __init__(self, **settings: str) -> None:
        port = next(free_ports(22_000))
        super().__init__(port)
        self.project = f"darkroom-test-{port}"
        self._command = (*compose_command(), "-p", self.project, "-f", str(COMPOSE))
        self._settings = IMAGES | settings | {"DARKROOM_PORT": str(port)}

    def __call__(self, *words: str, within_s: float = 120) -> str:
        return run(*self._command, *words, within_s=within_s, **self._settings)

    def build(self) -> None:
        """Build both images. Skips the test where what they are made of comes too slowly."""
        try:
            self("build", "gateway", "defects", within_s=BUILD_WITHIN_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"the images were not built within {BUILD_WITHIN_S:.0f} s")

    def start(self, *services: str) -> float:
        """All services, or those named; returns the seconds until a photo goes through."""
        started = time.monotonic()
        self("up", "-d", "--no-build", *services)
        try:
            wait_until(self.is_ready)
        except AssertionError as error:
            raise AssertionError(self("logs", "--tail", "30")[-8000:]) from error
        return time.monotonic() - started

    def scale(self, server: str, replicas: int) -> None:
        """Run so many containers of a model server; returns when the gateway uses them all."""
        words = ("--no-build", "--no-recreate", "--scale", f"{server}={replicas}", server)
        self("up", "-d", *words)
        wait_until(lambda: len(self.trusted(server)) == replicas)

    def containers(self, service: str) -> list[str]:
        label = "label=com.docker.compose"
        filters = (f"{label}.project={self.project}", f"{label}.service={service}")
        return docker("ps", "-q", *(f"--filter={one}" for one in filters)).split()

    def end(self) -> None:
        self("down", "-v", "-t", "1")


def inspect(container: str) -> dict[str, object]:
    (found,) = json.loads(docker("inspect", container))
    assert isinstance(found, dict)
    return found
