"""More photos than can be done, on a clock of its own: half a minute takes a second or two.

Admission, queue, replicas and their measured times are the real ones; only what a model server does
with a photo, taking its time, is played.
"""

import asyncio
import math
import random
import selectors
from collections import Counter
from functools import partial

from darkroom.contracts.errors import OutOfTime, OverCapacity
from gateway.addresses import Addresses
from gateway.budget import Budget
from gateway.calls import Reply, diagnosing
from gateway.capacity import Capacity, Road
from gateway.probes import probing
from gateway.replicas import Replicas
from tests.gateway.photos import a_photo
from tests.gateway.replica import a_diagnosis, a_model_reply, in_hand

SERVICE_S = 0.02
SPREAD = 0.3  # of the logarithm of a photo's pace
MEAN_PACE = math.exp(SPREAD**2 / 2)
ROAD = Road(("defects",), ("tone",))
PHOTO = a_photo()


class Skipping(selectors.DefaultSelector):
    """Never waits: the time it is asked to wait passes at once, on `now`."""

    now = 0.0

    def select(self, timeout=None):
        if timeout:
            self.now += timeout
        return super().select(0)


class Edge:
    """A replica that does one photo at a time, at its own pace."""

    def __init__(self, chance, pace):
        self._one, self._chance, self._pace = asyncio.Lock(), chance, pace

    async def ask(self, _):
        async with self._one:
            await asyncio.sleep(SERVICE_S * self._pace * self._chance.lognormvariate(0, SPREAD))
        return Reply(a_diagnosis(), a_model_reply(), 1.0)


def a_server(name, count, chance, pace=1.0):
    loop = asyncio.get_running_loop()
    urls = ",".join(f"http://10.0.0.{number}/" for number in range(1, count + 1))

    return Replicas(
        Addresses(name, urls),
        lambda _: Edge(chance, pace),  # type: ignore[arg-type, return-value]
        partial(probing, name),
        depth=2,
        clock=loop.time,
        chance=chance,
    )


async def offered(rate, seconds, replicas=1):
    """What became of photos that came at random, and the ms that the finished ones took."""
    loop, chance = asyncio.get_running_loop(), random.Random(5)
    servers = {
        "defects": a_server("defects", replicas, chance, pace=0.5),
        "tone": a_server("tone", replicas, chance),
    }
    for server in servers.values():
        await server.discovery.refresh()
    await asyncio.sleep(1)
    capacity, outcomes, took_ms = Capacity(servers), Counter(), []

    async def send():
        budget = Budget.start(1000, loop.time)
        try:
            with capacity.admitted(ROAD, 1.0, budget):
                for server in servers.values():
                    await server.ask(diagnosing(in_hand(PHOTO, budget)))
                    assert budget.left_ms > 0
        except (OverCapacity, OutOfTime) as error:
            outcomes[error.code] += 1
            if isinstance(error, OverCapacity):
                assert budget.spent_ms == 0  # refused at once
            return
        except AssertionError:
            outcomes["late"] += 1
            return
        outcomes["good"] += 1
        took_ms.append(budget.spent_ms)

    sent, end = [], loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(chance.expovariate(rate))
        sent.append(asyncio.create_task(send()))
    await asyncio.gather(*sent)
    return outcomes, sorted(took_ms)


def on_a_clock_of_its_own(coroutine):
    selector = Skipping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def test_three_times_too_many_photos():
    """Nine in ten of what can be done is done, in time; the rest is refused before it costs."""
    outcomes, took_ms = on_a_clock_of_its_own(offered(150, 30))

    assert outcomes["good"] >= 0.9 * 30 / SERVICE_S / MEAN_PACE
    assert outcomes["out_of_time"] + outcomes["late"] <= 0.01 * outcomes["good"]
    assert took_ms[int(0.99 * len(took_ms))] <= 1000


def test_less_than_can_be_done_is_all_done():
    """At seven tenths of capacity next to nobody is refused."""
    outcomes, _ = on_a_clock_of_its_own(offered(35, 30))

    assert outcomes["good"] >= 0.995 * outcomes.total()


def test_capacity_grows_with_the_replicas():
    """Three of them, with three times too many photos: each does as much as one alone."""
    outcomes, _ = on_a_clock_of_its_own(offered(450, 10, replicas=3))

    assert outcomes["good"] >= 0.9 * 3 * 10 / SERVICE_S / MEAN_PACE
    assert outcomes["out_of_time"] + outcomes["late"] <= 0.01 * outcomes["good"]
