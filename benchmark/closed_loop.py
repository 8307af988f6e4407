"""So many clients, each of whom sends the next photo when the last is answered: the saturation."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import aiohttp

from benchmark.open_loop import NO_CACHE, PATIENCE_S, Load, ask, summarise

CLIENTS = {"1.2 Mpx": 12, "12 Mpx": 4}  # enough that no core has a pause
WARM_UP_S = 12.0  # Java compiles for the first hundred photos of each replica
PATIENTLY = "?budget_ms=10000"  # nobody is refused: what is measured is how much can be done


async def hold(url: str, photos: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Send photos to a route, each as a form with the field `image`, so many at a time."""
    numbers, began = itertools.count(), time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    connector = aiohttp.TCPConnector(limit=0)
    answers = []
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=NO_CACHE
    ) as session:

        async def client() -> None:
            while (now := time.perf_counter()) < began + seconds:
                photo = photos[next(numbers) % len(photos)]
                answers.append(await ask(session, url, photo, now))

        await asyncio.gather(*(client() for _ in range(clients)))
    took_s = time.perf_counter() - began
    return summarise(answers, len(answers) / took_s, took_s, budget_ms=PATIENCE_S * 1000)
