"""What a request may ask for, route by route."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from darkroom.contracts.defects import Defect, Enhancer

Strength = Annotated[float, Field(ge=0, le=1, description="0 leaves the photo, 1 mends it fully")]
LONGEST_BUDGET_MS = 60_000
BudgetMs = Annotated[
    int, Field(ge=50, le=LONGEST_BUDGET_MS, description="time for the whole answer, in ms")
]

RenderFactor = Annotated[
    int, Field(ge=7, le=45, description="colours are found on a square of 16 times as many pixels")
]


class ColorModel(StrEnum):
    """A network that gives colours, best first."""

    ARTISTIC = "artistic"
    STABLE = "stable"
    LITE = "lite"


def _split(value: object) -> object:
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


class DiagnoseOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_ms: BudgetMs | None = None


class EnhanceOptions(DiagnoseOptions):
    strength: Strength = 1.0
    steps: Annotated[
        tuple[Enhancer, ...],
        BeforeValidator(_split),
        Field(min_length=1, description="enhancers that may run, separated by commas"),
    ] = tuple(Enhancer)


class FixDefectOptions(DiagnoseOptions):
    defect_to_fix: Defect
    strength: Strength = 1.0


class ColorizeOptions(DiagnoseOptions):
    model: Annotated[
        ColorModel | None,
        Field(description="the best one that is there and has the time, unless named"),
    ] = None
    render_factor: Annotated[
        RenderFactor | None, Field(description="by the photo's size and the time, unless given")
    ] = None
    strength: Annotated[
        float, Field(ge=0, le=1, description="0 leaves the photo's colours, 1 replaces them")
    ] = 1.0
