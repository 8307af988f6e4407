"""`gateway/flights.py`: equal work is done once."""

import asyncio

import pytest

from gateway.flights import Flights


class Work:
    """Something to do that ends when the test says so."""

    def __init__(self) -> None:
        self.started = self.cancelled = 0
        self.end = asyncio.Event()

    async def __call__(self) -> str:
        self.started += 1
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"


async def test_equal_work_is_done_once():
    """Ten ask, one run; another key is another run."""
    flights, work, other = Flights[str](), Work(), Work()
    asked = [asyncio.create_task(flights.join("key", work)) for _ in range(10)]
    asked.append(asyncio.create_task(flights.join("other", other)))
    await asyncio.sleep(0.01)
    work.end.set()
    other.end.set()

    assert await asyncio.gather(*asked) == ["done"] * 11
    assert (work.started, other.started) == (1, 1)
    assert not flights.is_under_way("key")


async def test_error_reaches_everybody():
    """And the next one tries again."""

    async def fails() -> str:
        await asyncio.sleep(0)
        raise ValueError("no")

    flights = Flights[str]()
    asked = [flights.join("key", fails) for _ in range(3)]
    errors = await asyncio.gather(*asked, return_exceptions=True)

    assert [str(error) for error in errors] == ["no"] * 3
    assert not flights.is_under_way("key")


async def test_first_to_ask_may_leave():
    """The work goes on for those who stay."""
    flights, work = Flights[str](), Work()
    first, second = (asyncio.create_task(flights.join("key", work)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    work.end.set()

    assert await second == "done"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_work_nobody_waits_for_is_ended():
    """And whoever asks just then gets a run of their own."""
    flights, work, again = Flights[str](), Work(), Work()
    asked = [asyncio.create_task(flights.join("key", work)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    again.end.set()

    assert await flights.join("key", again) == "done"
    assert work.cancelled == 1
