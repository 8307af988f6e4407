"""What was done to a photo: travels with every answer in the header `X-Darkroom-Report`."""

from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.diagnosis import Diagnosis, Severity
from darkroom.contracts.options import ColorModel, RenderFactor, Strength
from darkroom.contracts.plan import SkippedStep, Step

# Bounded, because all of a report has to fit a header.
Word = Annotated[str, Field(max_length=64)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# As `ToneMap.pack` writes it, in base64: 4 of the 8 KB of headers that model servers read.
PackedToneMap = Annotated[str, Field(max_length=6000, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class StageTimes(BaseModel, frozen=True):
    """Milliseconds a model server spent on one photo, stage by stage."""

    decode_ms: Milliseconds = 0
    network_ms: Milliseconds = 0
    apply_ms: Milliseconds = 0
    judge_ms: Milliseconds = 0
    encode_ms: Milliseconds = 0
    share_ms: Milliseconds = 0  # leaving pixels for others on this machine

    @property
    def total_ms(self) -> float:
        return float(sum(self.model_dump().values()))


class ModelReply(BaseModel, frozen=True):
    """What a model server says of its own work on one photo (header `X-Darkroom-Model`)."""

    model: Word
    version: Word  # of the archive
    weights_sha256: Word  # the first 12 hexadecimal digits
    device: Word
    stages: StageTimes
    took_ms: Milliseconds = 0  # from the request's arrival: all stages and what lies between them
    cpu_ms: Milliseconds = 0  # processor time, of the whole batch
    # How it went about it, where that is not plain from the request: an angle, a working size.
    notes: dict[Word, Word | FiniteFloat] = Field(default_factory=dict, max_length=12)
    # Of an enhancer's result, if the request asked for a judgement.
    severities: dict[Defect, Severity] | None = None


class StepReport(Step, frozen=True):
    """A step that was performed."""

    ms: float  # as the gateway saw it, transport included
    by: ModelReply


class ColorizeReport(BaseModel, frozen=True):
    """The colours that a photo was given; `by.notes` name the network and its render factor."""

    ms: float  # as the gateway saw it, transport included
    by: ModelReply


class Report(BaseModel, frozen=True):
    """The whole story of one photo."""

    request_id: str
    diagnosis: Diagnosis | None = None  # None where the request named its defect
    diagnosed_by: ModelReply | None = None
    diagnose_ms: float | None = None
    steps: tuple[StepReport, ...] = ()
    skipped: tuple[SkippedStep, ...] = ()
    undone: tuple[StepReport, ...] = ()  # performed, judged no better than before, and taken back
    colorized: ColorizeReport | None = None
    total_ms: float
    budget_ms: int


class DiagnoseAnswer(BaseModel, frozen=True):
    """The body of `POST /diagnose`: the diagnosis, what it amounts to and what would be done."""

    diagnosis: Diagnosis
    found: tuple[str, ...]
    steps: tuple[Step, ...]
    skipped: tuple[SkippedStep, ...]
    width: int  # pixels, as a viewer sees the photo: orientation applied
    height: int


class StepRequest(BaseModel, frozen=True):
    """What the gateway asks of an enhancer's model server (header `X-Darkroom-Step`)."""

    enhancer: Enhancer
    defects: dict[str, float]  # the defects to mend → diagnosed severity, 1 where not diagnosed
    strength: Strength = 1.0
    judge: bool = False  # measure the severities of the result, too
    # Of `tone` alone: it tells from the noise how dark a photo was, which `restore` takes away.
    foresee: bool = False  # answer with a `Foresight` of this photo, not with the photo
    foreseen: PackedToneMap | None = None  # apply this, whatever this photo looks like


class Foresight(BaseModel, frozen=True):
    """What `tone` would do to a photo: the body of its answer where it is asked to foresee."""

    tone_map: PackedToneMap


class ColorizeRequest(BaseModel, frozen=True):
    """What the gateway asks of `colorize` (header `X-Darkroom-Colorize`)."""

    model: ColorModel | None = None  # the best that fits the time left
    render_factor: RenderFactor | None = None
    strength: Strength = 1.0
