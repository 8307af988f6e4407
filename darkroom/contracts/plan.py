"""From a diagnosis to the ordered steps that mend it."""

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel

from darkroom.contracts.defects import MENDS, Defect, Enhancer


class SkipReason(StrEnum):
    """Why a step was left out."""

    NOT_ASKED = "not_asked"  # the request's `steps` does not name it
    NOT_IN_CLUSTER = "not_in_cluster"  # no model server of that name is configured
    NO_TIME = "no_time"  # its measured cost does not fit the time left, or it ran out of time
    OVER_CAPACITY = "over_capacity"  # it would fit, were its model server less busy
    REPLICA_FAILED = "replica_failed"  # its model server could not be reached or failed
    LEFT_ALONE = "left_alone"  # its enhancer looked closer and found nothing to change


class Step(BaseModel, frozen=True):
    """One hop: an enhancer and all the defects it is to mend there."""

    enhancer: Enhancer
    defects: tuple[Defect, ...]


class SkippedStep(Step, frozen=True):
    reason: SkipReason


class Plan(BaseModel, frozen=True):
    """Ordered steps for one photo, and those left out."""

    steps: tuple[Step, ...] = ()
    skipped: tuple[SkippedStep, ...] = ()


def needed_steps(defects: Collection[Defect]) -> tuple[Step, ...]:
    """The steps that mend these defects, in the order restore → straighten → tone."""
    grouped = {e: tuple(d for d in MENDS[e] if d in defects) for e in Enhancer}
    return tuple(Step(enhancer=e, defects=found) for e, found in grouped.items() if found)
