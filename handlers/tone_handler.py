"""Entry file of the archive `tone`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.defects import Enhancer
from darkroom.imaging.colour import without_colour
from darkroom.imaging.photo import Photo
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
from darkroom.imaging.views import thumbnail_of
from darkroom.inference.tone import load_toner
from handlers.adjusting import adjusted, is_adjusting
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class ToneHandler(PhotoHandler):
    """Mend light and colour: all maps in one call of the network, each applied at full size."""

    def load(self, weights: Path) -> None:
        self.toner = load_toner(weights, self.device)

    def answer(self, slots: Sequence[Slot]) -> list[Photo]:
        mended = iter(self._mended([slot for slot in slots if not is_adjusting(slot)]))
        return [adjusted(slot) if is_adjusting(slot) else next(mended) for slot in slots]

    def _mended(self, slots: Sequence[Slot]) -> list[Photo]:
        if not slots:
            return []
        asked = [frozenset(slot.asked_of(Enhancer.TONE)) for slot in slots]
        with timed("network_ms", *slots):
            views = [thumbnail_of(slot.photo.pixels) for slot in slots]
            maps = self.toner.plan(list(zip(views, asked, strict=True)))
        # Nothing asked, nothing done: the network is not relied upon to answer with the identity.
        return [
            _apply(slot, tone_map) if defects else slot.photo
            for slot, tone_map, defects in zip(slots, maps, asked, strict=True)
        ]


def _apply(slot: Slot, tone_map: ToneMap) -> Photo:
    """The photo with its map applied; alpha, metadata and format stay as they are."""
    strength = 1.0 if slot.step is None else slot.step.strength
    with timed("apply_ms", slot):
        pixels = apply_tone_map(slot.photo.pixels, tone_map.toward_identity(strength))
        if slot.photo.grey:  # it has no colour to balance, and must not be given any
            pixels = without_colour(pixels)
    return dataclasses.replace(slot.photo, pixels=pixels)
