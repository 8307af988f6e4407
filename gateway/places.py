"""Who gets which replica: places at the replicas of one model server, and the queue for them.

A replica takes only a few photos at a time; the rest wait here rather than in its own queue, from
which nothing can be taken back. So a photo whose client has left or whose time is over is never
started, whichever replica is free first takes the next one, and jobs let everybody pass.
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import Collection, Iterable

from darkroom.contracts.errors import NoReplica, OutOfTime
from gateway.budget import Budget
from gateway.replica import Replica

_Waiter = tuple[bool, int, asyncio.Future[Replica]]  # job?, order of arrival, what it waits for


class Places:
    """The replicas known at the moment, each with `depth` places."""

    def __init__(self, depth: int, chance: random.Random | None = None) -> None:
        self.replicas: dict[str, Replica] = {}  # by address
        self.leaving: dict[str, Replica] = {}  # no longer known, with photos to finish
        self.waiting = 0  # photos of clients in the queue, jobs left out
        self._depth = depth
        self._chance = chance or random.Random()
        self._waiting: list[_Waiter] = []
        self._arrivals = itertools.count()
        self._looked_up = asyncio.Event()

    @property
    def live(self) -> list[Replica]:
        """The trusted replicas, or all of them where none is: better a try than a sure no."""
        trusted = [replica for replica in self.replicas.values() if replica.trusted]
        return trusted or [*self.replicas.values()]

    def replace(self, replicas: dict[str, Replica]) -> None:
        """What a look-up has found. Photos at replicas that are gone are finished there."""
        gone = {**self.leaving, **self.replicas}
        self.leaving = {a: r for a, r in gone.items() if r.outstanding and a not in replicas}
        self.replicas = replicas
        self._looked_up.set()
        self.wake()

    async def take(self, budget: Budget) -> Replica:
        """A place at the less busy of two replicas, as soon as there is one.

        Raises:
            NoReplica: nobody is known.
            OutOfTime: the budget is over, or ended before there was a place.
        """
        if budget.left_ms <= 0:
            raise OutOfTime()
        if replica := self._take_now(budget.is_job):
            return replica
        try:
            async with asyncio.timeout(budget.left_ms / 1000):
                await self._looked_up.wait()
                if not self.replicas:
                    raise NoReplica()
                return self._take_now(budget.is_job) or await self._wait(budget.is_job)
        except TimeoutError as error:
            raise OutOfTime() from error

    def take_other(self, than: Collection[Replica], *, idle: bool) -> Replica | None:
        """A place at another trusted replica, without waiting; with `idle` only where no one is."""
        others = [
            other
            for other in self.replicas.values()
            if other not in than and other.trusted and not (idle and other.outstanding)
        ]
        if not others or (idle and self.waiting):
            return None
        return _enter(self._less_busy(others))

    def give_back(self, replica: Replica) -> None:
        replica.outstanding -= 1
        self.wake()

    def wake(self) -> None:
        """Hand free places to those who wait."""
        while self._waiting:
            is_job, _, future = self._waiting[0]
            if not future.done():
                replica = self._free(is_job)
                if replica is None:
                    return
                future.set_result(_enter(replica))
            heapq.heappop(self._waiting)

    def _take_now(self, is_job: bool) -> Replica | None:
        queue = (waiter for waiter in self._waiting if not waiter[2].done())
        if any(is_job or not waiting_job for waiting_job, *_ in queue):
            return None  # others were here before
        replica = self._free(is_job)
        return _enter(replica) if replica else None

    async def _wait(self, is_job: bool) -> Replica:
        future: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (is_job, next(self._arrivals), future))
        self.waiting += not is_job
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # given a place in this very moment
                self.give_back(future.result())
            raise
        finally:
            self.waiting -= not is_job

    def _free(self, is_job: bool) -> Replica | None:
        limit = 1 if is_job else self._depth  # a job takes what nobody else would use
        free = [replica for replica in self.live if replica.outstanding < limit]
        return self._less_busy(free) if free else None

    def _less_busy(self, replicas: Iterable[Replica]) -> Replica:
        """The less busy of two random choices (Mitzenmacher, 2001).

        Nearly as even as the least of all, and many gateways that look at the same moment do not
        all choose the same one.
        """
        candidates = [*replicas]
        two = self._chance.sample(candidates, min(2, len(candidates)))
        return min(two, key=lambda replica: replica.outstanding)


def _enter(replica: Replica) -> Replica:
    replica.outstanding += 1
    return replica
