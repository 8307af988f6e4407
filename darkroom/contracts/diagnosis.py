"""What is wrong with a photo, as measured."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from darkroom.contracts.defects import Defect

Severity = Annotated[float, Field(ge=0, le=1, description="0 absent … 1 worst")]


class Diagnosis(BaseModel, frozen=True):
    """Severities of all nine defects in one photo, and the severity from which each one counts.

    The thresholds belong to the weights that made the severities: both were fitted together.
    """

    severities: dict[Defect, Severity]
    thresholds: dict[Defect, Severity]

    @model_validator(mode="after")
    def _complete(self) -> "Diagnosis":
        for name, values in (("severities", self.severities), ("thresholds", self.thresholds)):
            if set(values) != set(Defect):
                raise ValueError(f"{name} must name each of the {len(Defect)} defects")
        return self

    @property
    def found(self) -> tuple[Defect, ...]:
        """The defects at or over their thresholds, worst first."""
        over = [d for d in Defect if self.severities[d] >= self.thresholds[d]]
        return tuple(sorted(over, key=lambda defect: -self.severities[defect]))
