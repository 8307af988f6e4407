"""Entry file of the archive `tone`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.report import Foresight
from darkroom.imaging.colour import without_colour
from darkroom.imaging.photo import Photo
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
from darkroom.inference.tone import load_toner
from handlers.adjusting import adjusted, is_adjusting
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class ToneHandler(PhotoHandler):
    """Mend light and colour: all maps in one call of the network, each applied at full size."""

    def load(self, weights: Path) -> None:
        self.toner = load_toner(weights, self.device)

    def answer(self, slots: Sequence[Slot]) -> list[Photo | Foresight]:
        mended = iter(self._mended([slot for slot in slots if not is_adjusting(slot)]))
        return [adjusted(slot) if is_adjusting(slot) else next(mended) for slot in slots]

    def _mended(self, slots: Sequence[Slot]) -> list[Photo | Foresight]:
        asked = [frozenset(slot.asked_of(Enhancer.TONE)) for slot in slots]
        # Nothing asked, nothing done: the network is not relied upon to answer with the identity.
        return [
            _done(slot, tone_map) if defects else slot.photo
            for slot, tone_map, defects in zip(slots, self._maps(slots, asked), asked, strict=True)
        ]

    def _maps(self, slots: Sequence[Slot], asked: Sequence[frozenset[Defect]]) -> list[ToneMap]:
        """Those foreseen, where a step brings one along; the others in one call of the network."""
        foreseen = [_foreseen(slot) for slot in slots]
        rows = zip(slots, asked, foreseen, strict=True)
        others = [(slot, defects) for slot, defects, tone_map in rows if tone_map is None]
        with timed("network_ms", *(slot for slot, _ in others)):
            views = [(slot.thumbnail(), defects) for slot, defects in others]
            predicted = iter(self.toner.plan(views) if views else [])
        return [tone_map or next(predicted) for tone_map in foreseen]


def _foreseen(slot: Slot) -> ToneMap | None:
    """The map that the step brings along. Raises `MalformedRequest` where that is none."""
    if slot.step is None or slot.step.foreseen is None:
        return None
    slot.note("map", "foreseen")
    return ToneMap.unpack(slot.step.foreseen)


def _done(slot: Slot, tone_map: ToneMap) -> Photo | Foresight:
    """What the step asks for: the map itself, or the photo with it."""
    if slot.step is not None and slot.step.foresee:
        return Foresight(tone_map=tone_map.pack())
    return _apply(slot, tone_map)


def _apply(slot: Slot, tone_map: ToneMap) -> Photo:
    """The photo with its map applied; alpha, metadata and format stay as they are."""
    strength = 1.0 if slot.step is None else slot.step.strength
    with timed("apply_ms", slot):
        pixels = apply_tone_map(slot.photo.pixels, tone_map.toward_identity(strength))
        if slot.photo.grey:  # it has no colour to balance, and must not be given any
            pixels = without_colour(pixels)
    return dataclasses.replace(slot.photo, pixels=pixels)
