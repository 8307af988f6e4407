"""The processes of what is measured: started together, counted together, ended together."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from darkroom.cluster import guard

PROJECT = Path(__file__).parents[1]
LOGS = PROJECT / "var" / "benchmark"


class Processes:
    """Everything that was started for one service, and all that these have started."""

    def __init__(self, stack: ExitStack, name: str) -> None:
        """They are ended with `stack`; what they say is in `var/benchmark/<name>.log`."""
        LOGS.mkdir(parents=True, exist_ok=True)
        self._stack = stack
        self._log = stack.enter_context((LOGS / f"{name}.log").open("wb"))
        self._pids: list[int] = []

    def start(
        self, *module: str, environment: Mapping[str, str] | None = None, talks: bool = False
    ) -> "subprocess.Popen[bytes]":
        """`python -m` with these words, in a session of its own; one that talks is not logged."""
        process = subprocess.Popen(
            (sys.executable, "-m", *module),
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if talks else self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._stack.callback(_end, process)
        self._pids.append(process.pid)
        return process

    def cpu_s(self) -> float:
        return cpu_s(self._pids)

    def pss_bytes(self) -> int:
        return sum(_pss(process) for process in tree(self._pids))


def end_with_sigterm() -> None:
    """Let SIGTERM end the running task, so that what it has started is ended, too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def tree(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all below them."""
    found: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.Error):
            root = psutil.Process(pid)
            found += (root, *root.children(recursive=True))
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds so far of these processes and all below them."""
    total = 0.0
    for process in tree(pids):
        with suppress(psutil.Error):  # it has just ended
            times = process.cpu_times()
            total += times.user + times.system
    return total


def busy_s() -> float:
    """CPU seconds so far of everything on this machine."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _pss(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        command = " ".join(process.cmdline())
        # Darkroom's jobs, which nobody here asks for and no other has.
        if not any(word in command for word in ("gateway.jobs", "postgres")):
            return int(process.memory_full_info().pss)
    return 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    """As a service manager would; then whatever is left of its session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    guard.end_group(process.pid)
    process.wait()
