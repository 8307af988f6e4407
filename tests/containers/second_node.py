"""A second machine for a Swarm: another engine, in a network namespace of its own.

    this machine ── vdr1 ═ cable ═ vdr2 ── namespace `darkroom-node2` with its engine

Cutting the cable is one command, and no packet passes any more.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.engine import docker, run, wait_until

HERE, THERE = "10.213.7.1", "10.213.7.2"
CABLE = ("vdr1", "vdr2")
NAMESPACE = "darkroom-node2"
LOAD_WITHIN_S = 300.0


class SecondNode:
    """The engine at the other end of the cable."""

    def __init__(self, folder: Path) -> None:
        self._host = f"unix://{folder}/engine.sock"
        self._folder = folder

    def docker(self, *words: str) -> str:
        return docker("-H", self._host, *words)

    def start(self) -> None:
        folder = self._folder
        command = (
            # Not `ip netns exec`, which hides the control groups from the engine.
            *("nsenter", f"--net=/var/run/netns/{NAMESPACE}"),
            *("unshare", "--mount", "--propagation", "private", "dockerd"),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("--pidfile", f"{folder}/pid", "-H", self._host, "--cgroup-parent", NAMESPACE),
        )
        with (folder / "engine.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        wait_until(lambda: (folder / "engine.sock").exists() and self._answers(), 60)

    def load(self, image: str) -> None:
        """Bring an image over: no registry is shared."""
        copy = f"docker save {image} | docker -H {self._host} load"
        run("sh", "-c", copy, within_s=LOAD_WITHIN_S)

    def join(self) -> None:
        token = docker("swarm", "join-token", "-q", "worker").strip()
        self.docker("swarm", "join", "--advertise-addr", THERE, "--token", token, f"{HERE}:2377")

    def cut_off(self) -> None:
        run("ip", "link", "set", CABLE[0], "down")

    def stop(self) -> None:
        if self._answers():
            self._succeeds("swarm", "leave", "--force")
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)

    def _answers(self) -> bool:
        return self._succeeds("info")

    def _succeeds(self, *words: str) -> bool:
        command = ("docker", "-H", self._host, *words)
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def second_node(folder: Path) -> Iterator[SecondNode]:
    """Cable, namespace and engine. Skips the test where only root could make them."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "nsenter", "dockerd"))):
        pytest.skip("a second engine needs root, ip, nsenter and dockerd")
    node = SecondNode(folder)
    run("ip", "netns", "add", NAMESPACE)
    try:
        run("ip", "link", "add", CABLE[0], "type", "veth", "peer", "name", CABLE[1])
        run("ip", "link", "set", CABLE[1], "netns", NAMESPACE)
        run("ip", "addr", "add", f"{HERE}/24", "dev", CABLE[0])
        run("ip", "link", "set", CABLE[0], "up")
        for words in (
            ("addr", "add", f"{THERE}/24", "dev", CABLE[1]),
            ("link", "set", CABLE[1], "up"),
            ("link", "set", "lo", "up"),
            ("route", "add", "default", "via", HERE),
        ):
            run("ip", "-n", NAMESPACE, *words)
        node.start()
        yield node
    finally:
        node.stop()
        run("ip", "netns", "del", NAMESPACE)  # and the cable with it
        shutil.rmtree(folder / "data", ignore_errors=True)  # gigabytes, which pytest would keep
