"""One photo of a batch on its way through a model server."""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pydantic import BaseModel, ValidationError

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.contracts.errors import (
    MalformedRequest,
    OutOfTime,
    ServiceError,
    UnknownDefect,
    UnreadablePhoto,
)
from darkroom.contracts.headers import BUDGET, REQUEST_ID, SHARED, STEP
from darkroom.contracts.problem import Problem
from darkroom.contracts.report import StageTimes, StepRequest
from darkroom.contracts.sharing import PIXELS, THUMBNAIL, Shared
from darkroom.imaging.codec import decode, decoded_before
from darkroom.imaging.photo import Photo, Pixels
from darkroom.imaging.views import THUMBNAIL_PX, thumbnail_of
from handlers.sharing import SharedPhoto, find_shared

log = logging.getLogger(__name__)

MAX_PIXELS = 50_000_000  # unless DARKROOM_MAX_PIXELS is set, both as at the gateway


class Slot:
    """A request, and later its photo, its answer or its problem."""

    photo: Photo
    step: StepRequest | None = None  # None where the request names no step

    def __init__(self, index: int, headers: Mapping[str, Any], batch: int = 1) -> None:
        self.index, self.batch = index, batch  # its place in a batch of so many
        # In the sender's case; form fields are among them, with values of other types.
        self.headers = {name.lower(): v for name, v in headers.items() if isinstance(v, str)}
        self.request_id = self.headers.get(REQUEST_ID.lower(), "")
        self.seen: Any = None  # what the handler's network sees of the photo, and finds
        self.found: Any = None
        self.answer: Photo | BaseModel | None = None
        # Not the exception: its frames hold this slot and the payload, a cycle of many megabytes
        # that would stay until a collection happens to run.
        self.problem: Problem | None = None
        self.shared: SharedPhoto | None = None
        self.shared_answer: Shared | None = None
        self.severities: dict[Defect, float] | None = None  # of the answer, where judged
        self.notes: dict[str, str | float] = {}
        self._arrived = time.monotonic()
        self._began_ns = time.process_time_ns()
        self._stages: dict[str, float] = {}

    @property
    def stages(self) -> StageTimes:
        return StageTimes(**{name: round(ms, 2) for name, ms in self._stages.items()})

    @property
    def took_ms(self) -> float:
        """Milliseconds since the request came."""
        return round((time.monotonic() - self._arrived) * 1000, 2)

    @property
    def cpu_ms(self) -> float:
        """Processor time of this process since the request came."""
        return round((time.process_time_ns() - self._began_ns) / 1e6, 2)

    @property
    def left_ms(self) -> float | None:
        """Milliseconds left of the request's budget, None where it has none.

        Raises:
            MalformedRequest: the budget is not a number.
        """
        left = self.headers.get(BUDGET.lower())
        if left is None:
            return None
        try:
            return float(left) - self.took_ms
        except ValueError as error:
            raise MalformedRequest(f"The header {BUDGET} is not a number.") from error

    def check_time(self) -> None:
        """Raises `OutOfTime` where the budget is spent."""
        # Not `<=`: what is not a number at all (nan) must not pass as endless time.
        if (left_ms := self.left_ms) is not None and not left_ms > 0:
            raise OutOfTime

    def asked_of(self, enhancer: Enhancer) -> dict[Defect, float]:
        """The defects to mend with their severities; all that it knows, 1 each, without a step.

        Raises:
            MalformedRequest: the step is meant for another enhancer.
            UnknownDefect: one of its defects is not mended here.
        """
        known = MENDS[enhancer]
        if self.step is None:
            return dict.fromkeys(known, 1.0)
        if self.step.enhancer != enhancer:
            raise MalformedRequest(f"This is {enhancer}, the step is for {self.step.enhancer}.")
        if unknown := self.step.defects.keys() - set(known):
            raise UnknownDefect(f"{enhancer} does not mend {', '.join(sorted(unknown))}.")
        return {Defect(name): severity for name, severity in self.step.defects.items()}

    def note(self, key: str, value: str | float) -> None:
        """Say something about how this photo was worked on; it reaches the client's report."""
        self.notes[key] = round(value, 4) if isinstance(value, float) else value

    def read(self, payload: bytes) -> None:
        """Understand the request and decode its photo.

        Raises:
            MalformedRequest: a header has another shape than `darkroom.contracts` says.
            OutOfTime: the budget is spent.
            ServiceError: the photo's own, as `decode` raises them.
        """
        self.check_time()
        if (step := self.headers.get(STEP.lower())) is not None:
            try:
                self.step = StepRequest.model_validate_json(step)
            except ValidationError as error:
                raise MalformedRequest(f"The header {STEP} is not a step.") from error
        with timed("decode_ms", self):
            self.photo = self._decoded(payload)

    def thumbnail(self) -> Pixels:
        """As `thumbnail_of` makes it, if nobody has before."""
        left = self.shared.found(THUMBNAIL) if self.shared is not None else None
        if left is None or left.size != THUMBNAIL_PX * THUMBNAIL_PX * 3:
            return thumbnail_of(self.photo.pixels)
        return left.reshape(THUMBNAIL_PX, THUMBNAIL_PX, 3)

    def leave_pixels(self, thumbnail: Pixels) -> None:
        """Spare the model servers that come next the decoding, where they can see the pixels."""
        if self.shared is not None and self.photo.alpha is None:
            with timed("share_ms", self):
                self.shared.leave_pixels(self.photo.pixels, thumbnail)

    def leave_answer(self, payload: bytes) -> bool:
        """Put the answer, encoded as `payload`, beside the request's photo; whether it could."""
        assert isinstance(self.answer, Photo)
        if self.shared is None:
            return False
        with timed("share_ms", self):
            pixels = None if self.answer.alpha is not None else self.answer.pixels
            left = self.shared.leave_answer(payload, pixels)
        self.shared_answer = left
        return left is not None

    def forget(self) -> None:
        """Let go of the pixels: others of the batch may be at work for long."""
        self.seen = self.found = self.answer = self.shared = None
        vars(self).pop("photo", None)  # which it may never have had

    @property
    def shared_reply(self) -> Shared | None:
        """What the reply says of shared memory; nothing where the request's photo is not there."""
        return self.shared_answer or (self.shared.shared if self.shared else None)

    def _decoded(self, payload: bytes) -> Photo:
        try:
            self.shared = find_shared(self.headers.get(SHARED.lower()))
        except ValidationError as error:
            raise MalformedRequest(f"The header {SHARED} names no photo.") from error
        if self.shared is None:
            return decode(payload, _max_pixels())
        if (samples := self.shared.found(PIXELS)) is not None:
            with suppress(UnreadablePhoto):
                photo = decoded_before(self.shared.payload, samples)
                self.note("pixels", "shared")
                return photo
        return decode(self.shared.payload, _max_pixels(), room=self.shared.room)

    @contextmanager
    def own_errors(self) -> Iterator[None]:
        """Whatever is raised inside becomes this slot's problem, and nobody else's."""
        try:
            yield
        except ServiceError as error:
            self.problem = Problem.of(error, self.request_id)
        except Exception:
            log.exception("request %s failed", self.request_id or "without an id")
            self.problem = Problem.of(ServiceError(), self.request_id)


def _max_pixels() -> int:
    """What a photo may have: a guard for a server that is reached without a gateway."""
    return int(os.environ.get("DARKROOM_MAX_PIXELS") or MAX_PIXELS)


@contextmanager
def timed(stage: str, *slots: Slot) -> Iterator[None]:
    """Count the milliseconds spent inside as `stage` of `StageTimes`.

    What is done for a whole batch counts fully in each slot: each waited for all of it.
    """
    start = time.perf_counter()
    try:
        yield
    finally:
        elapsed_ms = (time.perf_counter() - start) * 1000
        for slot in slots:
            slot._stages[stage] = slot._stages.get(stage, 0) + elapsed_ms
