"""Tests of `darkroom.cluster.supervisor`, with toy servers."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from darkroom.cluster.guard import members
from darkroom.cluster.server import Server
from darkroom.cluster.supervisor import LONGEST_PAUSE_S, Supervisor, pause_before_restart

# Writes a line for each start, then lives, with a worker, or fails.
TOY = """
import os, subprocess, sys, time
print("started", os.getpid(), os.environ.get("GREETING"), flush=True)
if sys.argv[1] == "fails":
    sys.exit(3)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""


def toy(folder: Path, name: str, behaviour: str) -> Server:
    command = (sys.executable, "-c", TOY, behaviour)
    return Server(
        name, command, folder, folder / f"{name}.log", os.environ | {"GREETING": f"hello {name}"}
    )


def starts(server: Server) -> list[int]:
    """The process ids of all starts so far, from the whole lines of the server's log."""
    text = server.log.read_text() if server.log.exists() else ""
    return [int(pid) for pid in re.findall(r"^started (\d+) .*\n", text, re.MULTILINE)]


async def wait_until(condition, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 – the toys are processes, they set no events
            await asyncio.sleep(0.02)


@pytest.fixture
def said():
    return []


@pytest.fixture
async def supervisor(tmp_path, said):
    async with Supervisor([tmp_path / "temporary"], said.append) as supervisor:
        yield supervisor


async def test_server_runs_with_its_environment_and_log(supervisor, tmp_path):
    """A server's output is in its log, and its environment is its own."""
    server = toy(tmp_path, "alpha", "lives")

    supervisor.keep_running(server)
    await wait_until(lambda: starts(server))

    assert "hello alpha" in server.log.read_text()


async def test_killed_server_starts_again_and_is_reported(supervisor, tmp_path, said):
    """A server that is killed starts again; its name, the signal and its log are reported."""
    server = toy(tmp_path, "alpha", "lives")
    supervisor.keep_running(server)
    await wait_until(lambda: starts(server))

    os.kill(starts(server)[0], signal.SIGKILL)
    await wait_until(lambda: len(starts(server)) == 2)

    assert "alpha ended (killed by signal 9)" in said[0]
    assert str(server.log) in said[0]


async def test_worker_ends_with_its_server(supervisor, tmp_path):
    """A killed server's worker is ended before the server starts again."""
    server = toy(tmp_path, "alpha", "lives")
    supervisor.keep_running(server)
    await wait_until(lambda: starts(server) and len(members(starts(server)[0])) == 2)

    os.kill(starts(server)[0], signal.SIGKILL)
    await wait_until(lambda: len(starts(server)) == 2)

    assert members(starts(server)[0]) == []


async def test_failures_in_a_row_are_counted(supervisor, tmp_path, said):
    """A server that cannot start is tried again at growing pauses, and counted."""
    supervisor.keep_running(toy(tmp_path, "alpha", "fails"))

    await wait_until(lambda: supervisor.failures.get("alpha") == 2)

    assert "exit status 3" in said[0]
    assert "again in 0.5 s" in said[0]
    assert "again in 1 s" in said[1]


async def test_one_failing_server_leaves_the_others(supervisor, tmp_path):
    """The failures of one server do not touch another."""
    steady = toy(tmp_path, "steady", "lives")
    supervisor.keep_running(steady)
    supervisor.keep_running(toy(tmp_path, "failing", "fails"))

    await wait_until(lambda: supervisor.failures.get("failing") == 2)

    assert len(starts(steady)) == 1
    assert members(starts(steady)[0])


async def test_memory_counts_workers(supervisor, tmp_path):
    """A server's memory includes its worker's: more than one bare interpreter's."""
    server = toy(tmp_path, "alpha", "lives")
    supervisor.keep_running(server)
    await wait_until(lambda: starts(server) and len(members(starts(server)[0])) == 2)
    own = psutil.Process(starts(server)[0]).memory_full_info().pss

    assert supervisor.memory_bytes("alpha") > own > 0


async def test_closing_leaves_no_process(tmp_path, said):
    """After the supervisor nothing runs of what it started, failing servers included."""
    steady, failing = toy(tmp_path, "steady", "lives"), toy(tmp_path, "failing", "fails")
    async with Supervisor([tmp_path / "temporary"], said.append) as supervisor:
        supervisor.keep_running(steady)
        supervisor.keep_running(failing)
        await wait_until(lambda: starts(steady) and starts(failing))

    assert [members(pid) for pid in starts(steady) + starts(failing)] == [[], []]


async def test_ended_guard_harms_nobody(supervisor, tmp_path):
    """Servers start and restart although somebody has killed the guard."""
    supervisor._guard.kill()
    supervisor._guard.wait()
    server = toy(tmp_path, "alpha", "lives")

    supervisor.keep_running(server)
    await wait_until(lambda: starts(server))


def test_pauses_double_up_to_a_limit():
    """The pause before a restart doubles from half a second and stays bounded."""
    assert [pause_before_restart(n) for n in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
    assert pause_before_restart(50) == LONGEST_PAUSE_S
