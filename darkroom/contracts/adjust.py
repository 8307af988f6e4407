"""What a person may turn by hand, over and above what the service mends by itself."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from darkroom.contracts.options import DiagnoseOptions

Turned = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]

MAX_STRAIGHTEN_DEGREES = 15


class Adjustments(BaseModel):
    """Six sliders, 0 each where nothing is turned (header `X-Darkroom-Adjust`).

    What each one does to a pixel is written in `darkroom.imaging.adjust`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exposure: Annotated[
        float, Field(ge=-2, le=2, allow_inf_nan=False, description="stops; highlights roll off")
    ] = 0.0
    contrast: Annotated[Turned, Field(description="around middle grey")] = 0.0
    warmth: Annotated[Turned, Field(description="-1 blue … 1 amber")] = 0.0
    tint: Annotated[Turned, Field(description="-1 green … 1 magenta")] = 0.0
    saturation: Annotated[Turned, Field(description="-1 grey … 1 twice the colour")] = 0.0
    straighten: Annotated[
        float,
        Field(
            ge=-MAX_STRAIGHTEN_DEGREES,
            le=MAX_STRAIGHTEN_DEGREES,
            allow_inf_nan=False,
            description="degrees to turn the photo clockwise; the corners are cropped away",
        ),
    ] = 0.0


class AdjustOptions(Adjustments, DiagnoseOptions):
    """Options of `POST /adjust`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def adjustments(self) -> Adjustments:
        return Adjustments(**self.model_dump(include=set(Adjustments.model_fields)))
