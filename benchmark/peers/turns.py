"""One turn at the same photos: of a contestant, or of the handlers alone."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from subprocess import Popen

from benchmark.closed_loop import PATIENTLY, hold
from benchmark.figures import quantile
from benchmark.peers.contestants import Contestant, shared_memory
from benchmark.processes import Processes, busy_s
from benchmark.stealing import undisturbed
from darkroom.cluster.environment import model_server_environment
from darkroom.cluster.servers import kernels_folder

CORES = 2
Run = dict[str, float]


class RawLoops:
    """The limit: one loop for each core."""

    def __init__(self, stack: ExitStack, size: str, port: int) -> None:
        self.processes = Processes(stack, "raw")
        environment = model_server_environment(shared_memory(stack, port), kernels_folder())
        command = ("benchmark.peers.raw", size)
        self._loops = [
            self.processes.start(*command, environment=environment, talks=True)
            for _ in range(CORES)
        ]
        for loop in self._loops:
            _line(loop)

    def work(self, seconds: float) -> Run:
        for loop in self._loops:
            assert loop.stdin is not None
            loop.stdin.write(f"{seconds}\n".encode())
            loop.stdin.flush()
        done = [json.loads(_line(loop)) for loop in self._loops]
        times = [ms for each in done for ms in each["times_ms"]]
        return {
            "per_s": len(times) / seconds,
            "p50_ms": quantile(times, 0.5),
            "p95_ms": quantile(times, 0.95),
            "cpu_ms": sum(each["cpu_s"] for each in done) / len(times) * 1000,
        }


def _line(loop: "Popen[bytes]") -> bytes:
    assert loop.stdout is not None
    return loop.stdout.readline()


async def measure(contestant: Contestant, photos: list[bytes], clients: int, seconds: float) -> Run:
    before = contestant.processes.cpu_s()
    load = await hold(f"{contestant.url}/enhance_image{PATIENTLY}", photos, clients, seconds)
    used, good = contestant.processes.cpu_s() - before, load.statuses.get("200", 0)
    return {
        "per_s": good / load.seconds,
        "p50_ms": load.p50_ms,
        "p95_ms": load.p95_ms,
        "cpu_ms": used / max(1, good) * 1000,
        "lost": float(sum(load.statuses.values()) - good),
    }


async def take_turn(work: Callable[[], Awaitable[Run]], processes: Processes) -> Run:
    """One measurement, with the cores that others took meanwhile, on this machine and elsewhere."""

    async def once() -> Run:
        began, busy, own = time.perf_counter(), busy_s(), processes.cpu_s() + _own_s()
        run = await work()
        others = busy_s() - busy - (processes.cpu_s() + _own_s() - own)
        run["other_cores"] = others / (time.perf_counter() - began)
        return run

    run, run["stolen_cores"] = await undisturbed(once)
    await asyncio.sleep(0.3)
    return run


def _own_s() -> float:
    times = os.times()
    return times.user + times.system
