"""`gateway/places.py`: who gets which replica, and who waits."""

import asyncio
import random

import pytest

from darkroom.contracts.errors import NoReplica, OutOfTime
from gateway.budget import Budget
from gateway.places import Places
from gateway.replica import Replica


def a_replica(name: str) -> Replica:
    replica = Replica(name, None, lambda: 0.0)  # type: ignore[arg-type] # nobody is asked here
    replica.prove()
    return replica


def places_of(*names: str, depth: int = 1) -> Places:
    places = Places(depth, random.Random(1))
    places.replace({name: a_replica(name) for name in names})
    return places


def soon(ms: int = 5000, *, is_job: bool = False) -> Budget:
    return Budget.start(ms, is_job=is_job)


async def test_less_busy_of_two_is_chosen():
    """With two replicas, the two random choices are both of them: they fill evenly."""
    places = places_of("a", "b", depth=3)

    taken = [(await places.take(soon())).address for _ in range(6)]

    assert sorted(taken) == ["a"] * 3 + ["b"] * 3
    assert {*taken[:2]} == {*taken[2:4]} == {"a", "b"}


async def test_full_replicas_make_photos_wait_in_order():
    """Whoever came first gets the place that becomes free."""
    places = places_of("a")
    replica = await places.take(soon())
    order: list[int] = []

    async def wait(number):
        await places.take(soon())
        order.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert places.waiting == 3
    for _ in range(3):
        places.give_back(replica)
        await asyncio.sleep(0.01)
    await asyncio.gather(*waiting)

    assert order == [0, 1, 2]


async def test_jobs_let_everybody_pass():
    """A job that came first waits while there are interactive photos, then takes its turn."""
    places = places_of("a")
    replica = await places.take(soon())
    order: list[str] = []

    async def wait(name, is_job):
        await places.take(soon(is_job=is_job))
        order.append(name)

    waiting = [
        asyncio.create_task(wait(name, name.startswith("job")))
        for name in ("job 1", "photo 1", "job 2", "photo 2")
    ]
    for _ in range(4):
        await asyncio.sleep(0.01)
        places.give_back(replica)
    await asyncio.gather(*waiting)

    assert order == ["photo 1", "photo 2", "job 1", "job 2"]


async def test_job_takes_idle_replicas_only():
    """A second place at a busy replica is not for jobs."""
    places = places_of("a", depth=2)
    await places.take(soon())

    with pytest.raises(OutOfTime):
        await places.take(soon(30, is_job=True))
    assert (await places.take(soon())).address == "a"


async def test_photo_whose_client_left_is_not_started():
    """Its turn goes to the next, and no place is lost."""
    places = places_of("a")
    replica = await places.take(soon())
    gone, stays = (asyncio.create_task(places.take(soon())) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    places.give_back(replica)

    assert await stays is replica
    places.give_back(replica)
    assert replica.outstanding == 0


async def test_place_given_to_someone_who_leaves_at_that_moment_is_free_again():
    """Between being given a place and waking up, a waiter may be cancelled."""
    places = places_of("a")
    replica = await places.take(soon())
    waiter = asyncio.create_task(places.take(soon()))
    await asyncio.sleep(0)
    places.give_back(replica)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)

    assert replica.outstanding == 0


async def test_nothing_is_started_after_the_deadline():
    """A budget that is over, and one that ends in the queue."""
    places = places_of("a")
    with pytest.raises(OutOfTime):
        await places.take(Budget(1000, started=-1000.0, clock=lambda: 0.0))
    await places.take(soon())

    with pytest.raises(OutOfTime):
        await places.take(soon(30))
    assert places.replicas["a"].outstanding == 1


async def test_replica_that_comes_takes_those_who_wait():
    """Scaling up helps the photos that are already here."""
    places = places_of("a")
    await places.take(soon())
    waiter = asyncio.create_task(places.take(soon()))
    await asyncio.sleep(0)
    places.replace({**places.replicas, "b": a_replica("b")})

    assert (await waiter).address == "b"


async def test_replica_that_leaves_finishes_what_it_has():
    """It is still counted, so that whoever ends it can wait, and gets nothing new."""
    places = places_of("a", "b", depth=3)
    leaves = places.replicas["a"]
    while not leaves.outstanding:
        await places.take(soon())
    places.replace({"b": places.replicas["b"]})
    assert places.leaving == {"a": leaves}
    assert (await places.take(soon())).address == "b"

    while leaves.outstanding:
        places.give_back(leaves)
    places.replace(places.replicas)
    assert places.leaving == {}


async def test_untrusted_replicas_are_a_last_resort():
    """A trusted one gets everything; where none is trusted, a try is better than a sure no."""
    places = places_of("a", "b", depth=5)
    places.replicas["a"].trusted = False
    assert {(await places.take(soon())).address for _ in range(4)} == {"b"}

    places.replicas["b"].trusted = False
    assert {(await places.take(soon())).address for _ in range(4)} == {"a"}


async def test_nobody_known_is_said_at_once():
    """A name without any address."""
    with pytest.raises(NoReplica):
        await places_of().take(soon())


async def test_first_look_up_is_waited_for():
    """A photo that comes before the first addresses are known is not refused."""
    places = Places(1)
    waiter = asyncio.create_task(places.take(soon()))
    await asyncio.sleep(0)
    places.replace({"a": a_replica("a")})

    assert (await waiter).address == "a"


async def test_idle_replica_for_a_second_try():
    """Only a trusted one with nothing to do, and only while nobody waits."""
    places = places_of("a", "b")
    first = await places.take(soon())
    other = places.take_other((first,), idle=True)
    assert other is not None
    assert other is not first

    assert places.take_other((first,), idle=True) is None
    assert places.take_other((first,), idle=False) is other
