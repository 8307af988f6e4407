"""The same handlers, served in other ways, side by side: `python -m benchmark.peers`.

All take turns at clients that send dark photos, round after round on the same two cores, together
with the handlers alone in two loops: the limit. Turns from which other machines have stolen are
taken again. The handlers alone, Darkroom and those "sharing" keep photos in shared memory.
The frameworks come with `pip install -e '.[peers]'`; at 12 megapixels only the classical services
are asked. Medians over the rounds are printed and saved, with a plot.
"""

import argparse
import asyncio
import os
import statistics
from contextlib import ExitStack
from functools import partial
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmark.closed_loop import CLIENTS, WARM_UP_S
from benchmark.figures import CORE_HOUR, dollars_per_1000
from benchmark.peers.contestants import ALL, Terms, scale, until_ready
from benchmark.peers.turns import CORES, RawLoops, Run, measure, take_turn
from benchmark.photos import SIZES, dark_photos
from benchmark.plots import plot_peers
from benchmark.processes import end_with_sigterm
from benchmark.saving import machine, save

SMALL, LARGE = SIZES
# Who takes part, and in which file it is kept, if nothing else is said.
ONLY = {SMALL: tuple(ALL), LARGE: ("darkroom", "classical", "mended")}
NAMES = {SMALL: "peers", LARGE: "peers_12_mpx"}
RAW = "handlers alone"


async def compare(options: argparse.Namespace) -> dict[str, Any]:
    photos, runs = dark_photos(options.size), dict[str, list[Run]]()
    (small, *_) = dark_photos(SMALL)
    clients = options.clients or CLIENTS[options.size]
    only = options.only.split(",") if options.only else ONLY[options.size]
    end_with_sigterm()
    with ExitStack() as stack:
        raw = RawLoops(stack, options.size, options.port - 1)
        contestants = []
        for number, name in enumerate(only):
            first_port = options.port + 20 * number
            contestant = ALL[name](stack, Terms(first_port, options.workers))
            await until_ready(contestant, small)
            if name == "darkroom":
                await scale(first_port, options.workers)
            contestants.append(contestant)
            print(f"{contestant.name} is ready", flush=True)
        for contestant in contestants:
            await measure(contestant, photos, clients, WARM_UP_S)
        for _ in range(options.rounds):
            work = partial(asyncio.to_thread, raw.work, options.seconds)
            _keep(runs, RAW, await take_turn(work, raw.processes))
            for contestant in contestants:
                work = partial(measure, contestant, photos, clients, options.seconds)
                _keep(runs, contestant.name, await take_turn(work, contestant.processes))
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


def _keep(runs: dict[str, list[Run]], name: str, run: Run) -> None:
    runs.setdefault(name, []).append(run)
    print(f"{name:<18}", "  ".join(f"{key} {value:.2f}" for key, value in run.items()), flush=True)


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
    table = Table("", *columns, "lost", "others", "stolen", box=SIMPLE, padding=(0, 1))
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
            f"{of['stolen_cores']:.2f}",
        )
    Console(width=118).print(table, "others, stolen: cores taken by what is not measured.")


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
