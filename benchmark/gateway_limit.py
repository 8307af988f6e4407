"""What the gateway itself can do: `python -m benchmark.gateway_limit`.

Behind it are model servers without a network, which sleep for 20 ms and say what was asked for.
Measured are the time that the gateway adds for one client, the photos of 50 KB a second that one
core takes, the throughput of one to eight replicas, each of which works on one photo at a time, and
what comes of three times as many photos as one replica can do. Times are given as they are, and
scaled to the machine that the bounds were set on (`benchmark/floor.py`).
"""

import argparse
import asyncio
import statistics
import time
from functools import partial
from typing import Any

import aiohttp

from benchmark.floor import slower_than_there
from benchmark.open_loop import NO_CACHE, offer
from benchmark.photos import make_photo
from benchmark.plots import plot_replicas
from benchmark.processes import cpu_s
from benchmark.saving import machine, save
from benchmark.stealing import undisturbed
from benchmark.toys import Gateway

SLEEP_MS = 20.0
PHOTO = (640, 480, 50_000)
CLIENTS = 16  # enough for one core to have no pause
PATIENTLY = "?budget_ms=60000"  # nobody is refused
WARM_UP_S = 2.0


async def closed_loop(
    session: aiohttp.ClientSession, url: str, photo: bytes, clients: int, seconds: float
) -> list[float]:
    """The latencies, in ms, of clients that each send the next photo after an answer.

    The photo is the body, with no form around it: what is measured is not to be the client.
    """
    times: list[float] = []
    deadline = time.perf_counter() + seconds

    async def client() -> None:
        while (began := time.perf_counter()) < deadline:
            async with session.post(url, data=photo) as reply:
                await reply.read()
                if reply.status in (200, 204):
                    times.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(client() for _ in range(clients)))
    return times


async def measure(seconds: float, replica_counts: list[int]) -> dict[str, Any]:
    photo, slower = make_photo("coffee", *PHOTO), slower_than_there()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=NO_CACHE) as session:
        (added, per_core_s), _ = await undisturbed(partial(one_core, session, photo, seconds))
        throughput = dict[int, float]()
        for count in replica_counts:
            work = partial(with_replicas, session, photo, count, seconds)
            throughput[count], _ = await undisturbed(work)
        overload = await overloaded(session, photo, seconds)
    first = replica_counts[0]
    alone = throughput[first] / first
    return {
        **machine(),
        "slower_than_there": round(slower, 2),
        "added_p50_ms": round(added, 2),
        "added_p50_ms_there": round(added / slower, 2),
        "photos_per_core_s": round(per_core_s, 1),
        "photos_per_core_s_there": round(per_core_s * slower, 1),
        "overload": overload,
        "throughput_by_replicas": throughput,
        "share_of_linear": {n: round(each / (alone * n), 3) for n, each in throughput.items()},
    }


async def one_core(
    session: aiohttp.ClientSession, photo: bytes, seconds: float
) -> tuple[float, float]:
    """Milliseconds added to half of the answers, and photos for each second of CPU time."""
    with Gateway(1, 0) as gateway:
        await gateway.until_ready(session, photo)
        url, direct = gateway.url + PATIENTLY, f"{gateway.replicas[0]}/predictions/defects"
        await closed_loop(session, url, photo, 1, WARM_UP_S)
        through = await closed_loop(session, url, photo, 1, seconds)
        alone = await closed_loop(session, direct, photo, 1, seconds)
        before = cpu_s([gateway.pid])
        answered = len(await closed_loop(session, url, photo, CLIENTS, seconds))
        used = cpu_s([gateway.pid]) - before
    return statistics.median(through) - statistics.median(alone), answered / used


async def with_replicas(
    session: aiohttp.ClientSession, photo: bytes, count: int, seconds: float
) -> float:
    """Photos a second."""
    with Gateway(count, SLEEP_MS) as gateway:
        await gateway.until_ready(session, photo)
        times = await closed_loop(session, gateway.url + PATIENTLY, photo, 3 * count, seconds)
    return round(len(times) / seconds, 1)


async def overloaded(
    session: aiohttp.ClientSession, photo: bytes, seconds: float
) -> dict[str, object]:
    """What comes of three times as many photos as one replica can do."""
    with Gateway(1, SLEEP_MS) as gateway:
        await gateway.until_ready(session, photo)
        # So that it knows what photos cost.
        await closed_loop(session, gateway.url + PATIENTLY, photo, 2, WARM_UP_S)
        load = await offer(gateway.url, [photo], 3 * 1000 / SLEEP_MS, seconds)
    return load.as_json()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.gateway_limit", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--replicas", default="1,2,4,8")
    options = parser.parse_args()
    counts = [int(word) for word in options.replicas.split(",")]
    document = asyncio.run(measure(options.seconds, counts))
    plot_replicas(document["throughput_by_replicas"], save("gateway_limit", document))
    for name, value in document.items():
        print(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
