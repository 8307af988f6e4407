"""A model server as a name with many replicas: which one is asked, and whom instead if it fails.

    ask ── a place ── first try ── slower than 98 of 100? ── also asked of an idle replica
                          └── failed? ── once more, elsewhere, if there is time

Replicas are looked up again every second. New ones, and those that had been ejected, have to
answer a tiny photo before they get a client's: neither a name service nor TorchServe's `/ping`
tells whether a network is loaded.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from darkroom.contracts.errors import NoReplica, OutOfTime, OverCapacity, ServiceError
from darkroom.contracts.report import ModelReply, StepRequest
from darkroom.imaging.header import Format, read_header
from gateway.addresses import Addresses
from gateway.budget import Budget, Clock
from gateway.model_server import DiagnosisReply, ModelServer, Reply, Unreached
from gateway.places import Places
from gateway.replica import Replica
from gateway.service_times import ServiceTimes

log = logging.getLogger(__name__)

LOOK_UP_EVERY_S = 1.0
HEDGED_SHARE = 0.02  # of all photos, at most, are asked of a second replica
KNOWN_AFTER = 20  # photos of a size, before "slow" means anything
HANGING = 4.0  # times slower than 98 of 100: a strike against the replica

# A handler that plans with less than the rest of the budget still has to read its photo.
READING_MS = 50.0
READING_MS_PER_MEGAPIXEL = 20.0


class Answered(Protocol):
    """What a model server's answers have in common."""

    @property
    def by(self) -> ModelReply: ...


Answer = TypeVar("Answer", bound=Answered)
Call = Callable[[ModelServer], Awaitable[Answer]]


class Replicas:
    """All replicas of one model server, asked as if they were one."""

    def __init__(
        self,
        addresses: Addresses,
        edge: Callable[[str], ModelServer],
        probe: Call[Answered],
        depth: int,
        clock: Clock = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self.name = addresses.name
        self.places = Places(depth, chance)
        self.taken_up = ServiceTimes()  # how long a photo keeps its replica from the next one
        self.load_ms = 0.0  # expected of everything at the replicas or in the queue for them
        self.hedges = self.retries = 0
        self._hops = ServiceTimes()
        self._hedge_credit = 1.0
        self._addresses = addresses
        self._edge = edge
        self._probe = probe
        self._clock = clock
        self._probing: dict[Replica, asyncio.Task[None]] = {}

    async def diagnose(self, payload: bytes, budget: Budget, request_id: str) -> DiagnosisReply:
        """As `ModelServer.diagnose`; raises NoReplica too."""
        return await self.ask(lambda r: r.diagnose(payload, budget, request_id), payload, budget)

    async def enhance(
        self,
        payload: bytes,
        media_format: Format,
        step: StepRequest,
        budget: Budget,
        request_id: str,
    ) -> Reply:
        """As `ModelServer.enhance`; raises NoReplica too."""
        return await self.ask(
            lambda r: r.enhance(payload, media_format, step, budget, request_id), payload, budget
        )

    async def ask(self, call: Call[Answer], payload: bytes, budget: Budget) -> Answer:
        """The answer of one replica to a call about this photo."""
        megapixels = read_header(payload).pixels / 1e6
        expected_ms = self.taken_up.mean_ms(megapixels)
        self.load_ms += expected_ms
        try:
            replica = await self.places.take(budget)
            call = self._hurried(call, megapixels, budget)
            run, wrong = self._hedged, list[Replica]()
            while True:
                try:
                    return await run(replica, call, megapixels)
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

    @property
    def serving(self) -> str:
        """The models that answer under this name, several during an update; "" before the first."""
        replicas = self.places.replicas.values()
        return "+".join(sorted({replica.serves for replica in replicas if replica.serves}))

    @property
    def waiting_ms(self) -> float:
        """Milliseconds until what is there now has been done."""
        return self.load_ms / max(1, len(self.places.live))

    def _hurried(self, call: Call[Answer], megapixels: float, budget: Budget) -> Call[Answer]:
        """While others wait, a photo has only its share of the time: it works at a smaller size."""
        crowd = 1 + self.places.waiting / max(1, len(self.places.live))
        if crowd == 1 or budget.is_job:
            return call
        least_ms = READING_MS + READING_MS_PER_MEGAPIXEL * megapixels
        most_ms = max(budget.left_ms / crowd, least_ms)
        return lambda replica: call(replica.told_to_spend(most_ms))

    async def _hedged(self, replica: Replica, call: Call[Answer], megapixels: float) -> Answer:
        slow_ms = self._slow_ms(megapixels)
        self._hedge_credit = min(1.0, self._hedge_credit + HEDGED_SHARE)
        if slow_ms is None or len(self.places.replicas) == 1:
            return await self._run(replica, call, megapixels)
        first = asyncio.create_task(self._run(replica, call, megapixels))
        running = {first}
        try:
            await asyncio.wait(running, timeout=slow_ms / 1000)
            if not first.done() and (other := self._idle_one(replica)):
                self.hedges += 1
                running.add(asyncio.create_task(self._run(other, call, megapixels)))
            answer = await _first_good(running)
            if not first.done():
                replica.failed("slow", may_eject=self._may_eject())
            return answer
        finally:
            for task in running:
                task.cancel()

    def _idle_one(self, replica: Replica) -> Replica | None:
        if self._hedge_credit < 1.0:
            return None
        other = self.places.take_other((replica,), idle=True)
        self._hedge_credit -= 1.0 if other else 0.0
        return other

    async def _run(self, replica: Replica, call: Call[Answer], megapixels: float) -> Answer:
        """Ask this replica, at which a place has been taken, and remember how it went."""
        began = self._clock()
        try:
            answer = await call(replica.server)
        except NoReplica as error:
            gone = isinstance(error, Unreached)
            replica.failed(error.code, may_eject=gone or self._may_eject(), at_once=gone)
            raise
        except OutOfTime as error:
            slow_ms = self._slow_ms(megapixels)
            if slow_ms is not None and (self._clock() - began) * 1000 > HANGING * slow_ms:
                replica.failed(error.code, may_eject=self._may_eject())
            raise
        except ServiceError as error:  # what it says of the photo or its load
            replica.outcomes[error.code] += 1
            raise
        else:
            now = self._clock()
            self._hops.learn(megapixels, (now - began) * 1000)
            self.taken_up.learn(megapixels, (now - max(began, replica.last_answer)) * 1000)
            replica.last_answer = now
            replica.is_serving(answer.by)
            replica.succeeded()
            return answer
        finally:
            self.places.give_back(replica)

    def _slow_ms(self, megapixels: float) -> float | None:
        if self._hops.count(megapixels) < KNOWN_AFTER:
            return None
        return self._hops.quantile_ms(megapixels, 1 - HEDGED_SHARE)

    def _may_eject(self) -> bool:
        """At least half stay: where most seem to fail, the fault is not theirs."""
        trusted = sum(replica.trusted for replica in self.places.replicas.values())
        return 2 * (trusted - 1) >= len(self.places.replicas)

    async def watch(self) -> None:
        """Look up and probe, for as long as the gateway runs."""
        try:
            while True:
                await self.refresh()
                await asyncio.sleep(LOOK_UP_EVERY_S)
        finally:
            for task in self._probing.values():
                task.cancel()

    async def refresh(self) -> None:
        """Look up all addresses; start a probe of each replica that has to prove itself."""
        known, found = self.places.replicas, await self._addresses.look_up()
        if known.keys() != set(found):
            log.info("replicas of %s: %s", self.name, ", ".join(found) or "none")
        self.places.replace(
            {a: known.get(a) or Replica(a, self._edge(a), self._clock) for a in found}
        )
        for replica in self.places.replicas.values():
            replica.server.is_only_one = len(found) == 1
            if replica.trusted or replica in self._probing or not replica.may_return:
                continue
            if len(found) == 1:
                replica.prove()  # there is no other to ask instead
            else:
                self._probing[replica] = asyncio.create_task(self._prove(replica))

    async def _prove(self, replica: Replica) -> None:
        try:
            with suppress(ServiceError):
                replica.is_serving((await self._probe(replica.server)).by)
                replica.prove()
                self.places.wake()
        finally:
            del self._probing[replica]


async def _first_good(tasks: set[asyncio.Task[Answer]]) -> Answer:
    """The first answer; an error only where all end with one."""
    pending = tasks
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        good = [task for task in done if task.exception() is None]
        if good or not pending:
            return (good or [*done])[0].result()
