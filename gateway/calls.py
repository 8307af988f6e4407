"""What can be asked of a model server about a photo; `ask` of a replica, or of all, sends it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from darkroom.contracts import headers
from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.report import ColorizeRequest, Foresight, ModelReply, StepRequest
from darkroom.contracts.sharing import Shared
from darkroom.imaging.header import Format, read_header
from gateway.budget import Budget
from gateway.reading import ReceivedPhoto

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Work:
    """One request in hand."""

    photo: ReceivedPhoto
    budget: Budget
    request_id: str


@dataclass(frozen=True)
class Reply(Generic[Answer]):
    """What a model server has made of a photo."""

    answer: Answer
    by: ModelReply
    ms: float  # as the gateway saw it, transport included
    shared: Shared | None = None  # where the answer, a photo, lies for those who come next


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A photo, what is asked about it, and how the answer is to be understood."""

    work: Work
    understand: Callable[[bytes | None], Answer]  # raises ValueError where it is no answer
    asked: Mapping[str, str] = field(default_factory=dict)  # headers
    network: str = ""  # asked for by name, where a model server has several
    most_ms: float = math.inf  # the handler is to plan with no more, whatever the budget is
    goes_on: bool = False  # other model servers come after it: their pixels may be left

    @property
    def headers(self) -> dict[str, str]:
        """All that goes with the photo, at this moment."""
        left_ms = int(min(self.work.budget.left_ms, self.most_ms))
        told = {
            headers.REQUEST_ID: self.work.request_id,
            headers.BUDGET: str(left_ms),
            **self.asked,
        }
        if shared := self.work.photo.shared:
            leave = shared.model_copy(update={"pixels": shared.pixels and self.goes_on})
            told[headers.SHARED] = leave.model_dump_json()
        return told


MaybePhoto = bytes | None  # None: it was left alone


def diagnosing(work: Work, *, goes_on: bool = False) -> Call[Diagnosis]:
    """The severities of all nine defects; it goes on where what is found is to be mended."""
    return Call(work, lambda body: Diagnosis.model_validate_json(body or b""), goes_on=goes_on)


def mending(work: Work, step: StepRequest, *, goes_on: bool = False) -> Call[MaybePhoto]:
    """The photo with one step done, in the format it came in."""
    asked = {headers.STEP: step.model_dump_json()}
    return Call(work, _photo_like(work.photo), asked, goes_on=goes_on)


def foreseeing(work: Work, step: StepRequest) -> Call[Foresight]:
    """What a step of `tone` would do to the photo as it is now."""
    asked = {headers.STEP: step.model_copy(update={"foresee": True}).model_dump_json()}
    return Call(work, lambda body: Foresight.model_validate_json(body or b""), asked)


def adjusting(work: Work, adjustments: Adjustments) -> Call[MaybePhoto]:
    """The photo with the manual sliders turned."""
    return Call(work, _photo_like(work.photo), {headers.ADJUST: adjustments.model_dump_json()})


def colorizing(work: Work, asked: ColorizeRequest) -> Call[MaybePhoto]:
    """The photo in colour."""
    told = {headers.COLORIZE: asked.model_dump_json()}
    return Call(work, _photo_like(work.photo), told, network=asked.model or "")


def _photo_like(sent: ReceivedPhoto) -> Callable[[bytes | None], MaybePhoto]:
    def understand(body: bytes | None) -> MaybePhoto:
        if body is not None and (came_back := _format_of(body)) is not sent.header.format:
            raise ValueError(f"{came_back} for {sent.header.format}")
        return body

    return understand


def _format_of(body: bytes) -> Format:
    try:
        return read_header(body).format
    except ServiceError as error:
        raise ValueError("no photo") from error
