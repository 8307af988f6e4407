"""Keeps servers running: starts them, restarts those that die, ends them all."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from darkroom.cluster import guard
from darkroom.cluster.server import Server

LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0  # a server that ran so long starts again at the shortest pause

Say = Callable[[str], None]
Renew = Callable[[Server], Server]  # what to start in place of one that has ended


def pause_before_restart(failures: int) -> float:
    """Seconds to wait before a server that failed so many times in a row is started again."""
    return min(0.5 * 2.0 ** (failures - 1), LONGEST_PAUSE_S)


class Supervisor:
    """Runs each server in a session of its own, so that a terminal's Ctrl-C reaches us alone.

    A session's process group also holds what its server starts: TorchServe's Python workers end
    with it. `guard` does the same for everything should we be killed ourselves.
    """

    def __init__(self, temporary: Sequence[Path], say: Say) -> None:
        self.failures: dict[str, int] = {}  # in a row, by server
        self._say = say
        self._processes: dict[str, subprocess.Popen[bytes]] = {}  # those that run, by server
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stages: dict[str, int] = {}
        self._one_ended = asyncio.Event()  # another one after each end
        self._guard = subprocess.Popen(
            (sys.executable, "-I", guard.__file__, *map(str, temporary)),
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._notice_end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        # The worker finishes what it has while the gateway lives, this while its model servers do.
        for stage in sorted({*self._stages.values()}, reverse=True):
            together = [name for name, its in self._stages.items() if its == stage]
            await asyncio.gather(*map(self._end, together))
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        await self._exit_status(self._guard)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def keep_running(self, server: Server, renew: Renew = lambda ended: ended) -> None:
        self._stages[server.name] = server.stage
        self._start(server)
        self._tasks[server.name] = asyncio.create_task(self._restart_forever(server, renew))

    async def stop_running(self, name: str) -> None:
        """End a server and let it rest."""
        task = self._tasks.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._end(name)
        del self._stages[name]  # last: cancelled meanwhile, it is still to be ended

    def memory_bytes(self, name: str) -> int:
        """Memory of a server and its workers; what processes share is counted once (PSS)."""
        if name not in self._processes:
            return 0
        return sum(_pss(process) for process in guard.members(self._processes[name].pid))

    def total_bytes(self) -> int:
        """Memory of all servers, of the guard and of this process."""
        ours = (psutil.Process(), psutil.Process(self._guard.pid))
        return sum(map(self.memory_bytes, self._processes)) + sum(map(_pss, ours))

    async def _restart_forever(self, server: Server, renew: Renew) -> None:
        while True:
            began = time.monotonic()
            status = await self._exit_status(self._processes[server.name])
            await self._end(server.name)  # workers that have outlived it
            steady = time.monotonic() - began > STEADY_AFTER_S
            self.failures[server.name] = 1 if steady else self.failures.get(server.name, 0) + 1
            pause = pause_before_restart(self.failures[server.name])
            self._say(
                f"{server.name} ended ({_describe(status)}); it starts again in {pause:g} s. "
                f"Its log: {server.log}"
            )
            await asyncio.sleep(pause)
            server = renew(server)
            self._start(server)

    def _start(self, server: Server) -> None:
        # Not asyncio's subprocess: cancelled at the wrong moment, that forgets what it started.
        with server.log.open("ab") as log:
            process = subprocess.Popen(
                server.command,
                cwd=server.folder,
                env=server.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[server.name] = process
        self._tell_guard(f"+{process.pid}\n")

    async def _end(self, name: str) -> None:
        """End a server and its workers, unless that is done: its number may be another's by now."""
        if (process := self._processes.get(name)) is None:
            return
        ending = asyncio.to_thread(guard.end_group, process.pid)
        await asyncio.gather(ending, self._exit_status(process))
        del self._processes[name]
        self._tell_guard(f"-{process.pid}\n")

    def _tell_guard(self, line: str) -> None:
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody ended it: we can do without
            self._guard.stdin.write(line.encode())
            self._guard.stdin.flush()

    async def _exit_status(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for its end. SIGCHLD says when to look: an idle cluster looks at nothing."""
        while (status := process.poll()) is None:
            await self._one_ended.wait()
        return status

    def _notice_end(self) -> None:
        self._one_ended.set()
        self._one_ended = asyncio.Event()


def _pss(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:  # it has just ended
        return 0
    return int(getattr(memory, "pss", memory.rss))  # only Linux counts shared pages apart


def _describe(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
