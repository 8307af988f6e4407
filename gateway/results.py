"""From a request to its outcome: kept, shared with an equal request, or made.

known answer ── hit
equal request in hand, here or at another gateway ── wait for its outcome
else ── admitted? ── run ── keep it, if nothing was left out for want of time, memory or a replica
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.options import DiagnoseOptions
from darkroom.contracts.plan import SkipReason
from darkroom.contracts.report import Report
from gateway.cache import Store
from gateway.calls import Work
from gateway.capacity import Capacity, Road
from gateway.enhancing import Outcome
from gateway.flights import Flights
from gateway.replicas import Replicas
from gateway.sharing import Sharing

LARGE_BYTES = 1 << 20  # over it a digest takes long enough to be worth another thread
LOOK_AGAIN_S = 0.02  # for the outcome of another gateway

CacheWord = Literal["hit", "miss", "shared", "off"]
Run = Callable[[Work], Awaitable[Outcome]]

_FOR_NOW = (SkipReason.NO_TIME, SkipReason.OVER_CAPACITY, SkipReason.REPLICA_FAILED)
# What handlers note where they worked at a smaller size than they would have liked to.
_REDUCED = {"working_px", "short_of_memory"}
_FORESEEN = "map"  # what `tone` notes where it did not have to go by a restored photo


@dataclass(frozen=True)
class Asked:
    """What makes two requests equal, besides the models that serve them."""

    work: Work
    operation: str
    options: DiagnoseOptions
    road: Road
    may_keep: bool = True


class Results:
    """Outcomes of equal requests are made once, as far as that can be."""

    def __init__(
        self,
        store: Store | None,
        servers: Mapping[str, Replicas],
        capacity: Capacity,
        sharing: Sharing,
    ) -> None:
        self._store = store
        self._servers = servers
        self._capacity = capacity
        self._sharing = sharing
        self._flights: Flights[Outcome] = Flights()

    async def outcome(self, asked: Asked, run: Run) -> tuple[Outcome, CacheWord]:
        """The outcome of this request, and where it is from.

        Raises as `run` does; OverCapacity, too.
        """
        if self._store is None or not asked.may_keep:
            return await self._admitted(asked, run), "off"
        digest = await _digest(asked)
        key = _key(digest, self._models())
        if kept := await self._kept(key, asked):
            return kept, "hit"
        equal = f"{key}:{asked.work.budget.total_ms}"  # who has more time may get more done
        shared = self._flights.is_under_way(equal)
        made = await self._flights.join(equal, lambda: self._made(digest, asked, run))
        return (_told_again(made, asked.work), "shared") if shared else (made, "miss")

    async def _made(self, digest: str, asked: Asked, run: Run) -> Outcome:
        assert self._store is not None
        before, budget = self._models(), asked.work.budget
        key = _key(digest, before)
        if not await self._store.lead(key, budget.left_ms):
            if elsewhere := await self._from_another_gateway(key, asked):
                return elsewhere
            return await self._admitted(asked, run)
        try:
            outcome = await self._admitted(asked, run)
            # By now those have said what they are that had not been asked anything before.
            models = self._models()
            unchanged = all(b in ("", a) for b, a in zip(before, models, strict=True))
            if unchanged and is_final(outcome.report):
                await self._store.put(_key(digest, models), pack(outcome))
            return outcome
        finally:
            await asyncio.shield(self._store.stop_leading(key))

    async def _from_another_gateway(self, key: str, asked: Asked) -> Outcome | None:
        assert self._store is not None
        budget = asked.work.budget
        enough_ms = budget.left_ms / 2  # for doing it here, should nothing come from there
        while budget.left_ms > enough_ms:
            is_led = await self._store.is_led(key)
            if (kept := await self._kept(key, asked)) or not is_led:
                return kept
            await asyncio.sleep(LOOK_AGAIN_S)
        return None

    async def _admitted(self, asked: Asked, run: Run) -> Outcome:
        work = asked.work
        with self._capacity.admitted(asked.road, work.photo.megapixels, work.budget):
            async with self._sharing.shared(work) as shared:
                outcome = await run(shared)
        self._capacity.learn(outcome.report)
        return outcome

    async def _kept(self, key: str, asked: Asked) -> Outcome | None:
        assert self._store is not None
        packed = await self._store.get(key)
        outcome = unpack(packed) if packed else None
        return _told_again(outcome, asked.work) if outcome else None

    def _models(self) -> tuple[str, ...]:
        return tuple(server.serving for server in self._servers.values())


def is_final(report: Report) -> bool:
    """Whether more time or less traffic would make no other answer of the same request."""
    by = [step.by for step in (*report.steps, *report.undone)]
    by += [report.colorized.by] if report.colorized else []
    left_out = any(step.reason in _FOR_NOW for step in report.skipped)
    reduced = any(_REDUCED & one.notes.keys() for one in by)
    return not (left_out or reduced or _went_by_restored(report))


def _went_by_restored(report: Report) -> bool:
    """Whether `tone` was too busy, or gone, when it was asked to foresee."""
    notes = {step.enhancer: step.by.notes for step in report.steps}
    return Enhancer.RESTORE in notes and _FORESEEN not in notes.get(Enhancer.TONE, {_FORESEEN: ""})


def pack(outcome: Outcome) -> bytes:
    """The report on one line, then the photo, if there is one."""
    photo = b"" if outcome.payload is None else b"=" + outcome.payload
    return outcome.report.model_dump_json().encode() + b"\n" + photo


def unpack(packed: bytes) -> Outcome | None:
    """None where another version of the gateway has packed it in another way."""
    line, _, photo = packed.partition(b"\n")
    try:
        report = Report.model_validate_json(line)
    except ValidationError:
        return None
    return Outcome(photo[1:] if photo else None, report)


def _told_again(outcome: Outcome, work: Work) -> Outcome:
    """The outcome of an equal request, as this one's."""
    own = {
        "request_id": work.request_id,
        "total_ms": work.budget.spent_ms,
        "budget_ms": work.budget.total_ms,
    }
    return Outcome(outcome.payload, outcome.report.model_copy(update=own))


def _key(digest: str, models: tuple[str, ...]) -> str:
    return hashlib.sha256("|".join((digest, *models)).encode()).hexdigest()


async def _digest(asked: Asked) -> str:
    payload = asked.work.photo.payload
    if len(payload) > LARGE_BYTES:
        photo = await asyncio.to_thread(hashlib.sha256, payload)
    else:
        photo = hashlib.sha256(payload)
    options = asked.options.model_dump_json(exclude={"budget_ms"})
    return f"{photo.hexdigest()}|{asked.operation}|{options}"
