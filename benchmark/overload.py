"""Three times as many photos as can be mended: `python -m benchmark.overload`.

Starts the cluster (gateway, `defects`, `tone`), finds its peak at growing rates, offers three times
that for a minute, and finds the peak again: machines change their speed within minutes, so that the
goodput stands beside the mean of both. To be seen are also how soon the others are refused, how
long the accepted wait and whether memory grows. Printed and saved, with a plot.

Who sends three times as much takes three times as much of the same cores, so the goodput is also
set beside the peak for each core that was left to the service.
"""

import argparse
import asyncio
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

from benchmark.closed_loop import PATIENTLY, WARM_UP_S, hold
from benchmark.figures import quantile, slope_per_minute
from benchmark.open_loop import Answer, Load, offer_all, summarise
from benchmark.peers.contestants import Contestant, Terms, darkroom, scale, until_ready
from benchmark.peers.turns import CORES
from benchmark.photos import dark_photos
from benchmark.plots import plot_overload
from benchmark.processes import end_with_sigterm
from benchmark.saving import machine, save
from benchmark.stealing import undisturbed

CLIENTS = 12
TIMES = 3.0
PEAK_S = 8.0
AROUND = (0.8, 0.9, 1.0, 1.1)  # of the rate at saturation: where the peak is looked for
BUDGET_MS = 1000
SAMPLE_EVERY_S = 1.0
# Wanted, as far as the machine has nothing else to do.
LEAST_GOODPUT, MOST_REFUSED_MS, MOST_P99_MS = 0.9, 50.0, 1000.0


@dataclass(frozen=True)
class Peak:
    """Photos answered well within the budget, a second, at the rate at which they are most."""

    per_s: float
    saturation_per_s: float  # with clients who wait for each other, however long it takes
    sending_cores: float
    loads: list[Load]  # at the rates where it was looked for


async def find_peak(url: str, photos: list[bytes]) -> Peak:
    saturation = (await hold(url + PATIENTLY, photos, CLIENTS, PEAK_S)).goodput_per_s
    tried = list[tuple[Load, float]]()
    for rate in (saturation * share for share in AROUND):
        (answers, cores), _ = await undisturbed(partial(_offer, url, photos, rate, PEAK_S))
        tried.append((summarise(answers, rate, PEAK_S, BUDGET_MS), cores))
    best, cores = max(tried, key=lambda each: each[0].goodput_per_s)
    return Peak(best.goodput_per_s, saturation, cores, [load for load, _ in tried])


async def measure(service: Contestant, photos: list[bytes], seconds: float) -> dict[str, Any]:
    url = f"{service.url}/enhance_image"
    await hold(url + PATIENTLY, photos, CLIENTS, WARM_UP_S)
    before = await find_peak(url, photos)
    memory: list[tuple[float, float]] = []
    sampling = asyncio.create_task(_sample(service, memory))
    rate = TIMES * before.per_s
    offering = partial(_offer, url, photos, rate, seconds)
    (answers, sending_cores), stolen_cores = await undisturbed(offering, tries=1)
    sampling.cancel()
    after = await find_peak(url, photos)
    peaks = (before, after)
    peak = fmean(each.per_s for each in peaks)
    numbers = amount_to(answers, peak, seconds, memory)
    peak_cores = fmean(each.sending_cores for each in peaks)
    left = (CORES - sending_cores) / (CORES - peak_cores)
    return {
        "saturation_before_per_s": round(before.saturation_per_s, 1),
        "saturation_after_per_s": round(after.saturation_per_s, 1),
        "peak_before_per_s": round(before.per_s, 1),
        "peak_after_per_s": round(after.per_s, 1),
        "peak_per_s": round(peak, 1),
        "peaks": [load.as_json() for each in peaks for load in each.loads],
        "sending_cores_at_peak": round(peak_cores, 2),
        "sending_cores": round(sending_cores, 2),
        "overload": summarise(answers, rate, seconds, BUDGET_MS).as_json(),
        "stolen_cores": round(stolen_cores, 3),
        **numbers,
        "goodput_of_peak_per_core": round(numbers["goodput_of_peak"] / left, 3),
        "memory_mb": [(round(at, 1), round(mb)) for at, mb in memory],
    }


async def _offer(
    url: str, photos: list[bytes], rate: float, seconds: float
) -> tuple[list[Answer], float]:
    """The answers, and how many cores sending has taken."""
    spent, began = time.process_time(), time.perf_counter()
    answers = await offer_all(url, photos, rate, seconds)
    return answers, (time.process_time() - spent) / (time.perf_counter() - began)


async def _sample(service: Contestant, memory: list[tuple[float, float]]) -> None:
    began = time.perf_counter()
    while True:
        pss = await asyncio.to_thread(service.processes.pss_bytes)
        memory.append((time.perf_counter() - began, pss / 1e6))
        await asyncio.sleep(SAMPLE_EVERY_S)


def amount_to(
    answers: list[Answer], peak: float, seconds: float, memory: list[tuple[float, float]]
) -> dict[str, float]:
    """What was to be seen, as numbers."""
    good = [answer.ms for answer in answers if answer.status in (200, 204)]
    refused = [answer.ms for answer in answers if answer.status == 429]
    in_time = sum(ms <= BUDGET_MS for ms in good)
    others = len(answers) - len(good) - len(refused)
    half = [sample for sample in memory if sample[0] >= seconds / 2]  # once all pools are warm
    return {
        "goodput_of_peak": round(in_time / seconds / peak, 3) if peak else 0.0,
        "refused_share": round(len(refused) / max(1, len(answers)), 3),
        "refused_p50_ms": round(quantile(refused, 0.5), 1),
        "refused_p95_ms": round(quantile(refused, 0.95), 1),
        "refused_p99_ms": round(quantile(refused, 0.99), 1),
        "accepted_p50_ms": round(quantile(good, 0.5), 1),
        "accepted_p99_ms": round(quantile(good, 0.99), 1),
        "neither": others,
        "memory_mb_per_minute": round(slope_per_minute(half), 1),
    }


def show(document: dict[str, Any]) -> None:
    wanted = {
        "goodput_of_peak": document["goodput_of_peak"] >= LEAST_GOODPUT,
        "refused_p95_ms": document["refused_p95_ms"] <= MOST_REFUSED_MS,
        "accepted_p99_ms": document["accepted_p99_ms"] <= MOST_P99_MS,
        "neither": document["neither"] == 0,
    }
    for name, value in document.items():
        if isinstance(value, int | float):
            print(f"{name:<24} {value:>9}  {'' if name not in wanted else '✗✓'[wanted[name]]}")
    print(f"{'statuses':<24} {document['overload']['statuses']}")


async def run(options: argparse.Namespace) -> dict[str, Any]:
    photos = dark_photos("1.2 Mpx")
    end_with_sigterm()
    with ExitStack() as stack:
        service = darkroom(stack, Terms(options.port, options.workers))
        await until_ready(service, photos[0])
        await scale(options.port, options.workers)
        document = await measure(service, photos, options.seconds)
    return {**machine(), **document}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2, help="replicas of each model server")
    parser.add_argument("--port", type=int, default=9500, help="of the cluster it starts")
    options = parser.parse_args()
    os.sched_setaffinity(0, {*sorted(os.sched_getaffinity(0))[:CORES]})  # all of us, on these
    document = asyncio.run(run(options))
    plot_overload(document, save("overload", document))
    show(document)


if __name__ == "__main__":
    main()
