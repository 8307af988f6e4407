"""Who keeps his promise up to which rate: `python -m benchmark.rates`.

Darkroom and the classical service, as one would write it first and without its costliest mistake,
get dark photos at rates of their own choosing: an open loop, first where each is saturated by
twelve clients, then up or down in steps until it is known how many photos a second 95 of 100 are
answered for within a second. A refusal is no answer. Both sizes; printed and saved, with a plot.
"""

import argparse
import asyncio
import math
import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmark.closed_loop import CLIENTS, PATIENTLY, WARM_UP_S, hold
from benchmark.figures import quantile
from benchmark.open_loop import Answer, offer_all
from benchmark.peers.contestants import ALL, Contestant, Terms, scale, until_ready
from benchmark.photos import SIZES, dark_photos
from benchmark.plots import plot_rates
from benchmark.processes import end_with_sigterm
from benchmark.saving import machine, save
from benchmark.stealing import undisturbed

CONTESTANTS = ("darkroom", "classical", "mended")
SECONDS = {"1.2 Mpx": 6.0, "12 Mpx": 9.0}
STEP = 1.08  # between the rates that are kept and that are not, in the end
PROMISE_MS, KEPT_SHARE = 1000.0, 0.95


@dataclass
class Search:
    """The highest rate at which a service keeps its promise; each step asks for one more rate."""

    rate: float
    kept: float = 0.0  # the highest rate known to be kept
    broken: float = math.inf  # the lowest known not to be
    tried: list[dict[str, float]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.broken <= self.kept * STEP * 1.01

    def learn(self, share_in_time: float, p95_ms: float) -> None:
        """Take down how it went at `rate`, and choose the next one."""
        self.tried.append({"rate": round(self.rate, 2), "in_time": share_in_time, "p95_ms": p95_ms})
        if share_in_time >= KEPT_SHARE:
            self.kept = max(self.kept, self.rate)
        else:
            self.broken = min(self.broken, self.rate)
        if self.kept and math.isfinite(self.broken):
            self.rate = math.sqrt(self.kept * self.broken)
        else:
            self.rate *= STEP**2 if self.kept else STEP**-2


def share_in_time(answers: Sequence[Answer]) -> float:
    """Of all requests, those answered with a photo, or nothing to mend, within the promise."""
    good = sum(answer.status in (200, 204) and answer.ms <= PROMISE_MS for answer in answers)
    return good / max(1, len(answers))


async def compare(options: argparse.Namespace) -> dict[str, Any]:
    document: dict[str, Any] = {**machine(), "sizes": {}}
    end_with_sigterm()
    with ExitStack() as stack:
        contestants: list[Contestant] = []
        small = dark_photos("1.2 Mpx")
        for number, name in enumerate(CONTESTANTS):
            port = options.port + 20 * number
            contestants.append(ALL[name](stack, Terms(port, options.workers)))
            await until_ready(contestants[-1], small[0])
            if name == "darkroom":
                await scale(port, options.workers)
            print(f"{contestants[-1].name} is ready", flush=True)
        for size in options.sizes.split(","):
            photos = dark_photos(size)
            document["sizes"][size] = await _at_size(contestants, photos, size, options.tries)
    return document


async def _at_size(
    contestants: list[Contestant], photos: list[bytes], size: str, tries: int
) -> dict[str, Any]:
    searches, cpu_ms = dict[str, Search](), dict[str, list[float]]()
    for contestant in contestants:
        url = f"{contestant.url}/enhance_image{PATIENTLY}"
        await hold(url, photos, CLIENTS[size], WARM_UP_S)
        load = await hold(url, photos, CLIENTS[size], SECONDS[size])
        searches[contestant.name] = Search(max(0.5, 0.95 * load.goodput_per_s))
    for _ in range(tries):
        for contestant in contestants:
            search = searches[contestant.name]
            if search.is_over:
                continue
            work = partial(_offer, contestant, photos, search.rate, SECONDS[size])
            (answers, used_ms), _ = await undisturbed(work)
            good = [answer.ms for answer in answers if answer.status in (200, 204)]
            cpu_ms.setdefault(contestant.name, []).append(used_ms / max(1, len(good)))
            rate, p95 = search.rate, quantile(good, 0.95)
            search.learn(share_in_time(answers), p95)
            print(
                f"{size:>8} {contestant.name:<18} {rate:6.1f}/s  "
                f"in time {search.tried[-1]['in_time']:.3f}  p95 {p95:6.0f} ms",
                flush=True,
            )
            await asyncio.sleep(1)
    return {
        name: {
            "photos_per_s": round(search.kept, 2),
            "cpu_ms": round(statistics.median(cpu_ms[name]), 1),
            "tried": search.tried,
        }
        for name, search in searches.items()
    }


async def _offer(
    contestant: Contestant, photos: list[bytes], rate: float, seconds: float
) -> tuple[list[Answer], float]:
    """The answers at this rate, and the CPU milliseconds that they cost together."""
    before = contestant.processes.cpu_s()
    answers = await offer_all(f"{contestant.url}/enhance_image", photos, rate, seconds)
    return answers, (contestant.processes.cpu_s() - before) * 1000


def show(document: dict[str, Any]) -> None:
    for size, results in document["sizes"].items():
        ours = results["darkroom"]["photos_per_s"]
        for name, of in results.items():
            times = ours / of["photos_per_s"] if of["photos_per_s"] else math.inf
            print(
                f"{size:>8} {name:<18} {of['photos_per_s']:6.1f} photos/s within a second  "
                f"{of['cpu_ms']:6.1f} ms CPU  Darkroom does {times:.2f} ×"
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.rates", description=__doc__)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--workers", type=int, default=2, help="replicas of each model server")
    parser.add_argument("--tries", type=int, default=4, help="rates tried, at most")
    parser.add_argument("--port", type=int, default=9500, help="the first of those taken")
    options = parser.parse_args()
    os.sched_setaffinity(0, {*sorted(os.sched_getaffinity(0))[:2]})
    document = asyncio.run(compare(options))
    plot_rates(document, save("rates", document))
    show(document)


if __name__ == "__main__":
    main()
