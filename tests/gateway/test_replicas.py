"""`gateway/replicas.py`: a model server of several real replicas, some of which misbehave."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import aiohttp
import pytest
from aiohttp import web

from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import OutOfTime, ReplicaUnavailable, UnreadablePhoto
from gateway.addresses import Addresses
from gateway.budget import Budget
from gateway.calls import Call, diagnosing
from gateway.probes import TINY_PHOTO, probing
from gateway.replicas import KNOWN_AFTER, Replicas
from tests.gateway.conftest import serve_on_a_free_port
from tests.gateway.photos import a_photo
from tests.gateway.replica import (
    Replica,
    an_edge,
    answers,
    cuts_the_connection,
    hangs,
    in_hand,
    rubbish,
    until,
)

PHOTO = a_photo()


def a_call(ms: int = 5000) -> Call[Diagnosis]:
    return diagnosing(in_hand(PHOTO, Budget.start(ms)))


@pytest.fixture
async def fleet(clock):
    """Starts so many fakes, with `Replicas` that know and trust them all."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))

        async def start(count):
            fakes = [Replica() for _ in range(count)]
            for fake in fakes:
                app = web.Application()
                app.router.add_post("/predictions/{model}", fake.predict)
                fake.url = await serve_on_a_free_port(stack, app, handler_cancellation=True)
            replicas = Replicas(
                Addresses("defects", ",".join(fake.url for fake in fakes)),
                lambda url: an_edge("defects", url, session),
                partial(probing, "defects"),
                depth=2,
                clock=clock,
            )
            await replicas.discovery.refresh()
            await until(lambda: all(r.trusted for r in replicas.places.replicas.values()))
            for fake in fakes:
                fake.seen.clear()
            return fakes, replicas

        yield start


def trusted(replicas):
    return [replica.trusted for replica in replicas.places.replicas.values()]


async def ask(replicas, times=1, budget_ms=5000):
    return [await replicas.ask(a_call(budget_ms)) for _ in range(times)]


async def test_many_photos_spread_over_all_replicas(fleet):
    """Forty at once over four replicas: each gets its share."""
    fakes, replicas = await fleet(4)

    await asyncio.gather(*(ask(replicas) for _ in range(40)))

    assert min(len(fake.seen) for fake in fakes) >= 5
    assert sum(len(fake.seen) for fake in fakes) == 40


@pytest.mark.parametrize("fault", [cuts_the_connection, rubbish("defects"), answers(503)])
async def test_failure_of_one_replica_costs_no_photo(fleet, fault):
    """What one fails on, the other does; the failing one soon gets no more."""
    fakes, replicas = await fleet(2)
    fakes[0].behaviours["defects"] = fault

    assert len(await ask(replicas, 30)) == 30

    assert trusted(replicas) == [False, True]
    assert 1 <= replicas.retries <= 3
    assert len(fakes[0].seen) <= 4  # a connection that was cut may have been an old one: once more


async def test_several_replicas_may_go_at_once(fleet):
    """Scaled from four to one in the middle of the work: no photo is lost."""
    fakes, replicas = await fleet(4)
    for fake in fakes[1:]:
        fake.behaviours["defects"] = cuts_the_connection

    assert len(await ask(replicas, 10)) == 10
    assert trusted(replicas)[0]


async def test_replica_that_is_gone_gets_no_more_photos(fleet, clock):
    """Ejected by its first failure; it returns after its pause and a probe."""
    fakes, replicas = await fleet(2)
    fakes[1].behaviours["defects"] = cuts_the_connection
    await ask(replicas, 20)
    assert trusted(replicas) == [True, False]

    fakes[1].behaviours.clear()
    await replicas.discovery.refresh()
    await asyncio.sleep(0.05)
    assert trusted(replicas) == [True, False]

    clock.now += 1
    await replicas.discovery.refresh()
    await until(lambda: trusted(replicas) == [True, True])
    assert fakes[1].seen[-1][2] == TINY_PHOTO


async def test_replica_that_is_up_but_wrong_does_not_return(fleet, clock):
    """It answers connections and even its probe, with rubbish: no client's photo goes there."""
    fakes, replicas = await fleet(2)
    fakes[0].behaviours["defects"] = rubbish("defects")
    await ask(replicas, 20)
    fakes[0].seen.clear()

    for _ in range(5):
        clock.now += 20
        await replicas.discovery.refresh()
        await until(lambda: not replicas.discovery.probing)
    await ask(replicas, 10)

    assert trusted(replicas) == [False, True]
    assert {payload for *_, payload in fakes[0].seen} == {TINY_PHOTO}


async def test_photo_that_all_replicas_fail_on_ejects_nobody(fleet):
    """A poisonous photo, sent again and again: 503 for it, and everybody stays."""
    fakes, replicas = await fleet(2)
    for fake in fakes:
        fake.behaviours["defects"] = answers(507, b"out of memory")

    for _ in range(8):
        with pytest.raises(ReplicaUnavailable):
            await ask(replicas)

    assert trusted(replicas) == [True, True]
    assert [len(fake.seen) for fake in fakes] == [8, 8]


async def test_photos_own_fault_is_not_tried_elsewhere(fleet):
    """422 from one replica is the answer."""
    fakes, replicas = await fleet(2)
    refusal = b'{"title": "", "status": 422, "code": "unreadable_photo"}'
    for fake in fakes:
        fake.behaviours["defects"] = answers(
            422, refusal, **{"Content-Type": "application/problem+json"}
        )

    with pytest.raises(UnreadablePhoto):
        await ask(replicas)
    assert sum(len(fake.seen) for fake in fakes) == 1


async def test_no_second_try_without_time_for_it(fleet):
    """A photo takes 3 s and one is left: nobody else is bothered."""
    fakes, replicas = await fleet(2)
    replicas.taken_up.learn(1, 3000)
    for fake in fakes:
        fake.behaviours["defects"] = answers(503)

    with pytest.raises(ReplicaUnavailable):
        await ask(replicas, budget_ms=1000)
    assert sum(len(fake.seen) for fake in fakes) == 1


async def test_hanging_replica_is_passed_by(fleet):
    """The slow photo is asked of the idle one too, whose answer counts; the first is cancelled."""
    fakes, replicas = await fleet(2)
    for _ in range(KNOWN_AFTER):
        replicas._hops.learn(1, 50)
    fakes[0].behaviours["defects"] = hangs

    while not fakes[0].seen:
        async with asyncio.timeout(30):
            await ask(replicas)

    await until(lambda: fakes[0].cancelled == 1)
    assert replicas.hedges == 1


async def test_hedges_are_few(fleet, monkeypatch):
    """One in fifty photos at most, however slow all of them are."""
    _, replicas = await fleet(2)
    monkeypatch.setattr(replicas, "_slow_ms", lambda _: 0.0)

    await ask(replicas, 60)

    assert replicas.hedges == 2


async def test_replica_that_never_answers_is_ejected(fleet, clock, monkeypatch):
    """Only deadlines tell that it hangs: after three of them it is out."""
    _, replicas = await fleet(2)
    for _ in range(KNOWN_AFTER):
        replicas._hops.learn(1, 100)

    async def hangs_until_the_deadline(_):
        clock.now += 1.0
        raise OutOfTime()

    hanging = next(iter(replicas.places.replicas.values())).server
    monkeypatch.setattr(hanging, "ask", hangs_until_the_deadline)

    lost = 0
    for _ in range(40):
        try:
            await ask(replicas)
        except OutOfTime:
            lost += 1

    assert lost == 3
    assert trusted(replicas) == [False, True]


async def test_photo_waits_in_the_gateway_not_at_the_replica(fleet):
    """Of five photos a replica sees two; one whose client leaves is never sent."""
    (fake,), replicas = await fleet(1)
    fake.behaviours["defects"] = hangs
    asked = [asyncio.create_task(ask(replicas)) for _ in range(5)]
    await until(lambda: len(fake.seen) == 2)
    assert replicas.places.waiting == 3

    fake.behaviours.clear()
    for task in asked[:4]:
        task.cancel()
    await asked[4]
    await asyncio.gather(*asked, return_exceptions=True)

    assert len(fake.seen) == 3
    assert replicas.load_ms == 0
    assert [r.outstanding for r in replicas.places.replicas.values()] == [0]


async def test_waiting_time_is_what_is_there_already(fleet):
    """Ten photos of 20 ms are under way at two replicas."""
    fakes, replicas = await fleet(2)
    replicas.taken_up.learn(1, 20)
    for fake in fakes:
        fake.behaviours["defects"] = hangs
    asked = [asyncio.create_task(ask(replicas)) for _ in range(10)]
    await until(lambda: replicas.places.waiting == 6)

    assert replicas.waiting_ms == pytest.approx(100)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert replicas.waiting_ms == pytest.approx(0)


async def test_answers_are_counted_for_each_replica(fleet):
    """By outcome, for the metrics."""
    fakes, replicas = await fleet(2)
    fakes[0].behaviours["defects"] = answers(503)
    await ask(replicas, 30)

    first, second = (replica.outcomes for replica in replicas.places.replicas.values())
    assert first == Counter(replica_unavailable=3)
    assert second == Counter(ok=30)
