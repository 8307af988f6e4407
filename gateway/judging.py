"""Whether a step did any good: no photo is to come back worse than it went in."""

from collections.abc import Collection, Mapping

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.plan import Step

Severities = Mapping[Defect, float]

# Of severity over its threshold: of 400 tone steps whose diagnosis was surer, one was undone, while
# judging each would cost a third of its time again.
SURE = 0.2


def is_doubtful(step: Step, severities: Severities, thresholds: Severities) -> bool:
    """Whether the result of a step is to be judged: always, but for light that is plainly wrong."""
    if step.enhancer is not Enhancer.TONE:
        return True
    return max(severities[defect] - thresholds[defect] for defect in step.defects) < SURE


def is_better(
    before: Severities, after: Severities, thresholds: Severities, mended: Collection[Defect]
) -> bool:
    """Whether a step has lowered what it was to mend by more than it has raised anything else.

    A severity that stays under its threshold is no harm: nobody would see it.
    """
    gain = sum(before[defect] - after[defect] for defect in mended)
    harm = sum(
        max(0.0, after[defect] - max(before[defect], thresholds[defect]))
        for defect in after.keys() - set(mended)
    )
    return gain > harm
