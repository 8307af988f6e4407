"""A model server as a name with many replicas: which one is asked, and whom instead if it fails.

    ask ── a place ── first try ── slower than 98 of 100? ── also asked of an idle replica
                          └── failed? ── once more, elsewhere, if there is time

Which replicas there are is found out in `gateway/discovery.py`.
"""

import asyncio
import random
import time
from dataclasses import replace

from darkroom.contracts.errors import NoReplica, OutOfTime, OverCapacity, ServiceError
from gateway.addresses import Addresses
from gateway.budget import Clock
from gateway.calls import Answer, Call, Reply
from gateway.discovery import Discovery, Edge, Probe
from gateway.model_server import Unreached
from gateway.places import Places
from gateway.replica import Replica
from gateway.service_times import ServiceTimes

HEDGED_SHARE = 0.02  # of all photos, at most, are asked of a second replica
KNOWN_AFTER = 20  # photos of a size, before "slow" means anything
HANGING = 4.0  # times slower than 98 of 100: a strike against the replica

# A handler that plans with less than the rest of the budget still has to read its photo.
READING_MS = 50.0
READING_MS_PER_MEGAPIXEL = 20.0


class Replicas:
    """All replicas of one model server, asked as if they were one."""

    def __init__(
        self,
        addresses: Addresses,
        edge: Edge,
        probe: Probe,
        depth: int,
        clock: Clock = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self.name = addresses.name
        self.places = Places(depth, chance)
        self.discovery = Discovery(addresses, edge, probe, self.places, clock)
        self.taken_up = ServiceTimes()  # how long a photo keeps its replica from the next one
        self.load_ms = 0.0  # expected of everything at the replicas or in the queue for them
        self.hedges = self.retries = 0
        self._hops = ServiceTimes()
        self._hedge_credit = 1.0
        self._clock = clock

    async def ask(self, call: Call[Answer]) -> Reply[Answer]:
        """The reply of one replica. Raises as `ModelServer.ask` does, and NoReplica."""
        budget = call.work.budget
        expected_ms = self.taken_up.mean_ms(call.work.photo.megapixels, call.network)
        self.load_ms += expected_ms
        try:
            replica = await self.places.take(budget)
            call = self._hurried(call)
            run, wrong = self._hedged, list[Replica]()
            while True:
                try:
                    return await run(replica, call)
                except (NoReplica, OverCapacity) as error:
                    if not isinstance(error, Unreached):  # whoever is gone has taken no time
                        wrong.append(replica)
                    other = self._other(replica, wrong, budget.left_ms > expected_ms)
                    if other is None:
                        raise
                self.retries += 1
                replica, run = other, self._run
        finally:
            self.load_ms -= expected_ms

    def _other(self, failed: Replica, wrong: list[Replica], has_time: bool) -> Replica | None:
        """Whom to ask instead: once, or as often as a replica turns out to be gone."""
        if len(wrong) == 2:  # rather the photo's fault than theirs
            for replica in wrong:
                replica.forgive()
            return None
        return self.places.take_other((failed, *wrong), idle=False) if has_time else None

    def forget_times(self) -> None:
        """Nothing that was measured so far tells what photos take from now on."""
        self.taken_up, self._hops = ServiceTimes(), ServiceTimes()

    @property
    def serving(self) -> str:
        """The models that answer under this name, several during an update; "" before the first."""
        replicas = self.places.replicas.values()
        return "+".join(sorted({replica.serves for replica in replicas if replica.serves}))

    @property
    def waiting_ms(self) -> float:
        """Milliseconds until what is there now has been done."""
        return self.load_ms / max(1, len(self.places.live))

    def _hurried(self, call: Call[Answer]) -> Call[Answer]:
        """While others wait, a photo has only its share of the time: it works at a smaller size."""
        budget, megapixels = call.work.budget, call.work.photo.megapixels
        if not self.places.waiting or budget.is_job:
            return call
        crowd = 1 + self.places.waiting / max(1, len(self.places.live))
        least_ms = READING_MS + READING_MS_PER_MEGAPIXEL * megapixels
        return replace(call, most_ms=max(budget.left_ms / crowd, least_ms))

    async def _hedged(self, replica: Replica, call: Call[Answer]) -> Reply[Answer]:
        slow_ms = self._slow_ms(call)
        self._hedge_credit = min(1.0, self._hedge_credit + HEDGED_SHARE)
        if slow_ms is None or len(self.places.replicas) == 1:
            return await self._run(replica, call)
        first = asyncio.create_task(self._run(replica, call))
        running = {first}
        try:
            await asyncio.wait(running, timeout=slow_ms / 1000)
            if not first.done() and (other := self._idle_one(replica)):
                self.hedges += 1
                running.add(asyncio.create_task(self._run(other, call)))
            reply = await _first_good(running)
            if not first.done():
                replica.failed("slow", may_eject=self._may_eject())
            return reply
        finally:
            for task in running:
                task.cancel()

    def _idle_one(self, replica: Replica) -> Replica | None:
        if self._hedge_credit < 1.0:
            return None
        other = self.places.take_other((replica,), idle=True)
        self._hedge_credit -= 1.0 if other else 0.0
        return other

    async def _run(self, replica: Replica, call: Call[Answer]) -> Reply[Answer]:
        """Ask this replica, at which a place has been taken, and remember how it went."""
        began = self._clock()
        try:
            reply = await replica.server.ask(call)
        except NoReplica as error:
            gone = isinstance(error, Unreached)
            replica.failed(error.code, may_eject=gone or self._may_eject(), at_once=gone)
            raise
        except OutOfTime as error:
            slow_ms = self._slow_ms(call)
            if slow_ms is not None and (self._clock() - began) * 1000 > HANGING * slow_ms:
                replica.failed(error.code, may_eject=self._may_eject())
            raise
        except ServiceError as error:  # what it says of the photo or its load
            replica.outcomes[error.code] += 1
            raise
        else:
            now, megapixels = self._clock(), call.work.photo.megapixels
            taken_up_s = now - max(began, replica.last_answer)
            self._hops.learn(megapixels, (now - began) * 1000, call.network)
            self.taken_up.learn(megapixels, taken_up_s * 1000, call.network)
            replica.last_answer = now
            replica.is_serving(reply.by)
            replica.succeeded()
            return reply
        finally:
            self.places.give_back(replica)

    def _slow_ms(self, call: Call[Answer]) -> float | None:
        megapixels = call.work.photo.megapixels
        if self._hops.count(megapixels, call.network) < KNOWN_AFTER:
            return None
        return self._hops.quantile_ms(megapixels, 1 - HEDGED_SHARE, call.network)

    def _may_eject(self) -> bool:
        """At least half stay: where most seem to fail, the fault is not theirs."""
        trusted = sum(replica.trusted for replica in self.places.replicas.values())
        return 2 * (trusted - 1) >= len(self.places.replicas)


async def _first_good(tasks: set[asyncio.Task[Reply[Answer]]]) -> Reply[Answer]:
    """The first reply; an error only where all end with one."""
    pending = tasks
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        good = [task for task in done if task.exception() is None]
        if good or not pending:
            return (good or [*done])[0].result()
