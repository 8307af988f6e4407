"""Entry file of the archive `straighten`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.defects import Enhancer
from darkroom.imaging.lines import Lines, find_lines
from darkroom.imaging.photo import Photo
from darkroom.imaging.warp import apply_warp
from darkroom.inference.straighten import Tilt, load_straightener, plan_correction
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class StraightenHandler(PhotoHandler[Lines, Tilt]):
    """Set tilted photos upright; what is upright, or has no lines to tell by, is left alone."""

    def load(self, weights: Path) -> None:
        self.straightener = load_straightener(weights, self.device)

    def look(self, slot: Slot) -> Lines:
        _strength(slot)  # what is not meant for it is refused before anything is done
        with timed("network_ms", slot):
            return find_lines(slot.photo.pixels)

    def find(self, slots: Sequence[Slot], seen: Sequence[Lines]) -> list[Tilt]:
        with timed("network_ms", *slots):
            return self.straightener.estimate([*seen])

    def apply(self, slot: Slot, found: Tilt) -> Photo:
        """The photo set upright, its alpha with it; or the very same photo, left alone."""
        photo = slot.photo
        height, width = photo.pixels.shape[:2]
        least = self.straightener.least_confidence
        correction = plan_correction(found, width, height, least, _strength(slot))
        slot.note("confidence", round(found.confidence, 2))
        if correction is None:
            return photo
        slot.note("angle_degrees", round(correction.degrees, 2))
        slot.note("convergence_degrees", round(correction.pitch_degrees, 1))
        slot.note("cut_share", round(correction.warp.cut_share, 3))
        with timed("apply_ms", slot):
            pixels = apply_warp(photo.pixels, correction.warp)
            alpha = None if photo.alpha is None else apply_warp(photo.alpha, correction.warp)
        return dataclasses.replace(photo, pixels=pixels, alpha=alpha)


def _strength(slot: Slot) -> float:
    """How far to turn: the step's strength, 1 without a step, 0 where the step names no defect."""
    asked = slot.asked_of(Enhancer.STRAIGHTEN)
    if slot.step is None:
        return 1.0
    return slot.step.strength if asked else 0.0
