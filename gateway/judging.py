"""Whether a step did any good: no photo is to come back worse than it went in."""

from collections.abc import Collection, Mapping

from darkroom.contracts.defects import Defect

Severities = Mapping[Defect, float]


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
