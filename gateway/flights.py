"""Equal work once: whoever asks for what is already being made waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    aboard: int = 0


class Flights(Generic[T]):
    """Runs by key. A run ends when it is done, or when nobody waits for it any more."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def is_under_way(self, key: str) -> bool:
        return key in self._flights

    async def join(self, key: str, run: Callable[[], Awaitable[T]]) -> T:
        """The result of the run under this key; whatever it raises, it raises for all."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(_as_coroutine(run)))
            flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        flight.aboard += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.aboard -= 1
            if not flight.aboard and not flight.task.done():
                self._flights.pop(key, None)  # nobody may board what is being ended
                flight.task.cancel()


async def _as_coroutine(run: Callable[[], Awaitable[T]]) -> T:
    return await run()
