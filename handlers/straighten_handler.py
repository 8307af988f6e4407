"""Entry file of the archive `straighten`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.defects import Enhancer
from darkroom.imaging.lines import find_lines
from darkroom.imaging.photo import Photo
from darkroom.imaging.warp import apply_warp
from darkroom.inference.straighten import Tilt, load_straightener, plan_correction
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class StraightenHandler(PhotoHandler):
    """Set tilted photos upright; what is upright, or has no lines to tell by, is left alone."""

    def load(self, weights: Path) -> None:
        self.straightener = load_straightener(weights, self.device)

    def answer(self, slots: Sequence[Slot]) -> list[Photo]:
        asked = [_strength(slot) for slot in slots]
        with timed("network_ms", *slots):
            tilts = self.straightener.estimate([find_lines(slot.photo.pixels) for slot in slots])
        return [
            self._straighten(slot, tilt, strength)
            for slot, tilt, strength in zip(slots, tilts, asked, strict=True)
        ]

    def _straighten(self, slot: Slot, tilt: Tilt, strength: float) -> Photo:
        """The photo set upright, its alpha with it; or the very same photo, left alone."""
        photo = slot.photo
        height, width = photo.pixels.shape[:2]
        least = self.straightener.least_confidence
        found = plan_correction(tilt, width, height, least, strength)
        slot.note("confidence", round(tilt.confidence, 2))
        if found is None:
            return photo
        slot.note("angle_degrees", round(found.degrees, 2))
        slot.note("convergence_degrees", round(found.pitch_degrees, 1))
        slot.note("cut_share", round(found.warp.cut_share, 3))
        with timed("apply_ms", slot):
            pixels = apply_warp(photo.pixels, found.warp)
            alpha = None if photo.alpha is None else apply_warp(photo.alpha, found.warp)
        return dataclasses.replace(photo, pixels=pixels, alpha=alpha)


def _strength(slot: Slot) -> float:
    """How far to turn: the step's strength, 1 without a step, 0 where the step names no defect."""
    asked = slot.asked_of(Enhancer.STRAIGHTEN)
    if slot.step is None:
        return 1.0
    return slot.step.strength if asked else 0.0
