"""Tests of `darkroom.cluster.guard`."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from darkroom.cluster import guard

# A server with a worker; both say their process ids. Ignoring SIGTERM is what a hung one does.
FAMILY = """
import os, signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), worker.pid, flush=True)
time.sleep(600)
"""


def start_family(*words: str) -> tuple[subprocess.Popen, list[int]]:
    family = subprocess.Popen(
        [sys.executable, "-c", FAMILY, *words],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with family.stdout:
        return family, [int(word) for word in family.stdout.readline().split()]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def family():
    family, pids = start_family()
    yield pids
    if is_running(family.pid):
        os.killpg(family.pid, signal.SIGKILL)
    family.wait()


@pytest.fixture
def running_guard(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-I", guard.__file__, str(tmp_path / "no such"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        yield process, folder


def test_closed_pipe_ends_servers_and_their_workers(running_guard, family):
    """When the pipe closes, every process of a named group ends and the folder is removed."""
    process, folder = running_guard
    print(f"+{family[0]}", file=process.stdin, flush=True)
    assert all(map(is_running, family))

    process.stdin.close()

    assert wait_until(lambda: not any(map(is_running, family)))
    process.wait(timeout=30)
    assert not folder.exists()


def test_group_that_has_ended_is_left_alone(running_guard, family):
    """A number taken back is not signalled: it may be somebody else's by now."""
    process, _ = running_guard
    print(f"+{family[0]}\n-{family[0]}", file=process.stdin, flush=True)

    process.stdin.close()
    process.wait(timeout=30)

    assert all(map(is_running, family))


def test_stubborn_group_is_killed():
    """A group that ignores SIGTERM is gone after the patience, workers included."""
    family, pids = start_family("stubborn")

    guard.end_group(family.pid, patience_s=0.2)

    assert wait_until(lambda: not any(map(is_running, pids)))
    family.wait()


def test_ending_a_group_that_is_gone_does_nothing():
    """A group without processes is no error."""
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as process:
        process.wait()

        guard.end_group(process.pid)
