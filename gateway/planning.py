"""Which steps a diagnosis leads to, and which of them fit the time left."""

import time
from collections.abc import Collection, Mapping
from types import MappingProxyType

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.plan import Plan, SkippedStep, SkipReason, Step, needed_steps
from gateway.budget import Clock

LEARNING_RATE = 0.2  # of a new measurement: the estimate follows the last ten or so photos
FORGET_S = 10.0  # a step that always seems too dear would never be measured again
# What works at the size that its time allows fits wherever this much is left, per megapixel: to
# decode, to bring the correction up to full size, to encode.
LEAST_MS = {Enhancer.RESTORE: 40.0}


class Costs:
    """What each enhancer costs per megapixel: a moving estimate from its own replies."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Enhancer, tuple[float, float]] = {}  # (ms per megapixel, measured at)

    def learn(self, enhancer: Enhancer, megapixels: float, ms: float) -> None:
        # Fixed costs outweigh the pixels of a small photo: it counts as one megapixel, or it would
        # make large ones look unaffordable.
        measured = ms / max(megapixels, 1.0)
        before = self._per_megapixel(enhancer)
        if before is not None:
            measured = before + LEARNING_RATE * (measured - before)
        self._known[enhancer] = (measured, self._clock())

    def expected_ms(self, enhancer: Enhancer, megapixels: float) -> float:
        """Milliseconds this step will take, or can do with; 0 where nothing is known of late."""
        known = self._per_megapixel(enhancer) or 0.0
        return min(known, LEAST_MS.get(enhancer, known)) * megapixels

    def _per_megapixel(self, enhancer: Enhancer) -> float | None:
        cost, measured_at = self._known.get(enhancer, (0.0, -FORGET_S))
        is_fresh = enhancer in self._known and self._clock() - measured_at < FORGET_S
        return cost if is_fresh else None


def plan_steps(
    found: Collection[Defect],
    asked: Collection[Enhancer],
    in_cluster: Collection[Enhancer],
    expected_ms: Mapping[Enhancer, float],
    left_ms: float,
    waiting_ms: Mapping[Enhancer, float] = MappingProxyType({}),
) -> Plan:
    """The ordered steps that mend what was found, and those left out with the reason.

    A step takes `expected_ms` once its model server has done what is there before it.
    """
    steps: list[Step] = []
    skipped: list[SkippedStep] = []
    for step in needed_steps(found):
        expected = expected_ms.get(step.enhancer, 0.0)
        if step.enhancer not in asked:
            skipped.append(skip(step, SkipReason.NOT_ASKED))
        elif step.enhancer not in in_cluster:
            skipped.append(skip(step, SkipReason.NOT_IN_CLUSTER))
        elif expected > left_ms:
            skipped.append(skip(step, SkipReason.NO_TIME))
        elif expected + waiting_ms.get(step.enhancer, 0.0) > left_ms:
            skipped.append(skip(step, SkipReason.OVER_CAPACITY))
        else:
            left_ms -= expected + waiting_ms.get(step.enhancer, 0.0)
            steps.append(step)
    return Plan(steps=tuple(steps), skipped=tuple(skipped))


def skip(step: Step, reason: SkipReason) -> SkippedStep:
    return SkippedStep(enhancer=step.enhancer, defects=step.defects, reason=reason)
