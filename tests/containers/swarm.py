"""The stack file as a stack of its own, on a Swarm of this machine alone."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from darkroom.cluster.servers import free_ports
from tests.containers.engine import IMAGES, PROJECT, Gateway, docker, run, wait_until

STACK = PROJECT / "deploy" / "stack.yml"
NAME = "darkroom-test"
MODELS = ("defects", "tone")  # enough for a photo to go all the way
ABSENT = ("restore", "straighten", "colorize")


@contextmanager
def swarm(address: str) -> Iterator[None]:
    """A Swarm with this engine as its manager, where there is none yet."""
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() != "inactive":
        pytest.skip("this engine belongs to a Swarm already")
    docker("swarm", "init", "--advertise-addr", address)
    try:
        yield
    finally:
        docker("swarm", "leave", "--force")


class Stack(Gateway):
    """`deploy/stack.yml` with two replicas of two models, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        port = next(free_ports(23_000))
        super().__init__(port)
        nowhere = {f"DARKROOM_{name.upper()}_URL": "" for name in ABSENT}
        self._settings = IMAGES | nowhere | {"DARKROOM_PORT": str(port)}
        self._fewer = folder / "fewer.yml"
        services: dict[str, object] = {name: {"deploy": {"replicas": 0}} for name in ABSENT}
        # A test asks at the manager's port, and only the models' image is brought to other nodes.
        here = {"placement": {"constraints": ["node.role == manager"]}}
        services |= {name: {"deploy": here} for name in ("gateway", "worker", "redis")}
        self._fewer.write_text(yaml.safe_dump({"version": "3.9", "services": services}))

    def start(self) -> float:
        """Deploy; returns the seconds until a photo goes through."""
        files = ("-c", str(STACK), "-c", str(self._fewer))
        run("docker", "stack", "deploy", "--resolve-image", "never", *files, NAME, **self._settings)
        return wait_until(lambda: self.is_ready() and self.replicas() == dict.fromkeys(MODELS, 2))

    def replicas(self) -> dict[str, int]:
        return {model: len(self.trusted(model)) for model in MODELS}

    def update(self, model: str, *changes: str) -> None:
        docker("service", "update", "--detach", "--no-resolve-image", *changes, f"{NAME}_{model}")

    def update_state(self, model: str) -> str:
        """How the last update stands: `updating`, `completed`, `rollback_completed`."""
        (service,) = json.loads(docker("service", "inspect", f"{NAME}_{model}"))
        return str((service.get("UpdateStatus") or {}).get("State", ""))

    def trials(self, model: str) -> str:
        """What trials of new versions have said."""
        lines = docker("service", "logs", "--raw", f"{NAME}_{model}").splitlines()
        return "\n".join(line for line in lines if line.startswith("trial: "))

    def end(self) -> None:
        docker("stack", "rm", NAME)
        wait_until(lambda: not self._containers())
        wait_until(self._is_removed)

    def _containers(self) -> str:
        label = f"label=com.docker.stack.namespace={NAME}"
        return docker("ps", "--quiet", "--filter", label)

    def _is_removed(self) -> bool:
        volumes = docker("volume", "ls", "-q", "--filter", f"name={NAME}_").split()
        done = subprocess.run(
            ("docker", "volume", "rm", *volumes), capture_output=True, check=False
        )
        return not volumes or done.returncode == 0
