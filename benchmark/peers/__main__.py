"""The same handlers, served in other ways, side by side: `python -m benchmark.peers`.

All take turns at clients that send dark photos, round after round on the same two cores, together
with the handlers alone in two loops: the limit. The frameworks come with `pip install -e
'.[peers]'`; at 12 megapixels only the classical services are asked. Medians over the rounds are
printed and saved, with a plot.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable
from contextlib import ExitStack
from subprocess import Popen
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmark.closed_loop import CLIENTS, PATIENTLY, hold
from benchmark.figures import CORE_HOUR, dollars_per_1000, quantile
from benchmark.peers.contestants import ALL, Contestant, scale, until_ready
from benchmark.photos import SIZES, dark_photos
from benchmark.plots import plot_peers
from benchmark.processes import PROJECT, Processes, busy_s, end_with_sigterm
from benchmark.saving import machine, save
from darkroom.cluster.environment import model_server_environment

SMALL, LARGE = SIZES
# Who takes part, and in which file it is kept, if nothing else is said.
ONLY = {SMALL: tuple(ALL), LARGE: ("darkroom", "classical", "mended")}
NAMES = {SMALL: "peers", LARGE: "peers_12_mpx"}
CORES = 2
RAW = "handlers alone"
WARM_UP_S = 3.0
Run = dict[str, float]


class RawLoops:
    """The limit: one loop for each core."""

    def __init__(self, stack: ExitStack, size: str) -> None:
        self.processes = Processes(stack, "raw")
        environment = model_server_environment({}, PROJECT / "var" / "kernels")
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


async def compare(options: argparse.Namespace) -> dict[str, Any]:
    photos, runs = dark_photos(options.size), dict[str, list[Run]]()
    (small, *_) = dark_photos(SMALL)
    clients = options.clients or CLIENTS[options.size]
    only = options.only.split(",") if options.only else ONLY[options.size]
    end_with_sigterm()
    with ExitStack() as stack:
        raw = RawLoops(stack, options.size)
        contestants = []
        for number, name in enumerate(only):
            first_port = options.port + 20 * number
            contestant = ALL[name](stack, first_port, options.workers)
            await until_ready(contestant, small)
            if name == "darkroom":
                await scale(first_port, options.workers)
            contestants.append(contestant)
            print(f"{contestant.name} is ready", flush=True)
        for contestant in contestants:
            await measure(contestant, photos, clients, WARM_UP_S)
        for _ in range(options.rounds):
            turn = _turn(asyncio.to_thread(raw.work, options.seconds), raw.processes)
            _keep(runs, RAW, await turn)
            for contestant in contestants:
                work = measure(contestant, photos, clients, options.seconds)
                _keep(runs, contestant.name, await _turn(work, contestant.processes))
        memory = {c.name: c.processes.pss_bytes() / 1e6 for c in contestants}
        memory[RAW] = raw.processes.pss_bytes() / 1e6
    return {
        **machine(),
        "cores": CORES,
        "size": options.size,
        "clients": clients,
        "workers": options.workers,
        "seconds": options.seconds,
        "core_hour": options.core_hour,
        "results": amount_to(runs, memory, options.core_hour),
        "runs": runs,
    }


async def _turn(work: Awaitable[Run], processes: Processes) -> Run:
    """One measurement, with the cores that others on this machine took meanwhile."""
    began, busy, own = time.perf_counter(), busy_s(), processes.cpu_s() + _own_s()
    run = await work
    others = busy_s() - busy - (processes.cpu_s() + _own_s() - own)
    run["other_cores"] = others / (time.perf_counter() - began)
    await asyncio.sleep(0.3)
    return run


def _keep(runs: dict[str, list[Run]], name: str, run: Run) -> None:
    runs.setdefault(name, []).append(run)
    print(f"{name:<18}", "  ".join(f"{key} {value:.2f}" for key, value in run.items()), flush=True)


def _own_s() -> float:
    times = os.times()
    return times.user + times.system


def amount_to(
    runs: dict[str, list[Run]], memory: dict[str, float], core_hour: float
) -> dict[str, dict[str, float]]:
    """Medians over the rounds; shares are of the limit in the same round."""
    limits, results = runs[RAW], {}
    for name, each in runs.items():
        median = {key: statistics.median(run[key] for run in each) for key in each[0]}
        shares = [run["per_s"] / limit["per_s"] for run, limit in zip(each, limits, strict=True)]
        costs = [limit["cpu_ms"] / run["cpu_ms"] for run, limit in zip(each, limits, strict=True)]
        results[name] = median | {
            "share_of_limit": statistics.median(shares),
            "share_by_cpu": statistics.median(costs),
            "pss_mb": memory[name],
            "dollars_per_1000": dollars_per_1000(median["cpu_ms"], core_hour),
        }
    return {name: {k: round(v, 5) for k, v in each.items()} for name, each in results.items()}


def show(results: dict[str, dict[str, float]]) -> None:
    columns = ("photos/s", "of limit", "by CPU", "p50", "p95 ms", "CPU ms", "PSS MB", "$/1000")
    table = Table("", *columns, "lost", "others", box=SIMPLE, padding=(0, 1))
    for name, of in results.items():
        table.add_row(
            name,
            f"{of['per_s']:.1f}",
            f"{of['share_of_limit']:.2f}",
            f"{of['share_by_cpu']:.2f}",
            f"{of['p50_ms']:.0f}",
            f"{of['p95_ms']:.0f}",
            f"{of['cpu_ms']:.1f}",
            f"{of['pss_mb']:.0f}",
            f"{of['dollars_per_1000']:.5f}",
            f"{of.get('lost', 0):.0f}",
            f"{of['other_cores']:.2f}",
        )
    Console(width=110).print(table, "others: cores taken by processes that are not measured.")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", choices=SIZES, default=SMALL)
    parser.add_argument("--only", help=f"of {','.join(ALL)}; default: as many as suit the size")
    parser.add_argument("--clients", type=int, help=f"default: {CLIENTS}")
    parser.add_argument("--workers", type=int, default=2, help="of each model server")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--core-hour", type=float, default=CORE_HOUR, help="its price in dollars")
    parser.add_argument("--port", type=int, default=9500, help="the first of those taken")
    parser.add_argument("--name", help="of the files in benchmark/results; default: by the size")
    options = parser.parse_args()
    os.sched_setaffinity(0, {*sorted(os.sched_getaffinity(0))[:CORES]})  # all of us, on these
    document = asyncio.run(compare(options))
    plot_peers(document, save(options.name or NAMES[options.size], document))
    show(document["results"])


if __name__ == "__main__":
    main()
