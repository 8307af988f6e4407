"""Entry file of the archive `tone`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.report import Foresight
from darkroom.imaging.colour import without_colour
from darkroom.imaging.photo import Photo, Pixels
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
from darkroom.inference.tone import load_toner
from handlers.adjusting import adjusted, is_adjusting
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed

Asked = tuple[Pixels, frozenset[Defect]]  # a thumbnail, and what is to be mended in it


class ToneHandler(PhotoHandler[Asked | ToneMap | None, ToneMap | None]):
    """Mend light and colour: all maps in one call of the network, each applied at full size."""

    def load(self, weights: Path) -> None:
        self.toner = load_toner(weights, self.device)

    def look(self, slot: Slot) -> Asked | ToneMap | None:
        """What the network is asked; the map where it has been foreseen; None for no map."""
        if is_adjusting(slot):
            return None
        defects = frozenset(slot.asked_of(Enhancer.TONE))
        if not defects:
            return None  # the network is not relied upon to answer with the identity
        if (tone_map := _foreseen(slot)) is not None:
            return tone_map
        with timed("network_ms", slot):
            return slot.thumbnail(), defects

    def find(
        self, slots: Sequence[Slot], seen: Sequence[Asked | ToneMap | None]
    ) -> list[ToneMap | None]:
        asked = [each for each in seen if isinstance(each, tuple)]
        asking = (slot for slot, each in zip(slots, seen, strict=True) if isinstance(each, tuple))
        with timed("network_ms", *asking):
            predicted = iter(self.toner.plan(asked) if asked else [])
        return [next(predicted) if isinstance(each, tuple) else each for each in seen]

    def apply(self, slot: Slot, found: ToneMap | None) -> Photo | Foresight:
        """What the step asks for: the sliders, the map itself, or the photo with it."""
        if is_adjusting(slot):
            return adjusted(slot)
        if found is None:
            return slot.photo
        if slot.step is not None and slot.step.foresee:
            return Foresight(tone_map=found.pack())
        return _apply(slot, found)


def _foreseen(slot: Slot) -> ToneMap | None:
    """The map that the step brings along. Raises `MalformedRequest` where that is none."""
    if slot.step is None or slot.step.foreseen is None:
        return None
    slot.note("map", "foreseen")
    return ToneMap.unpack(slot.step.foreseen)


def _apply(slot: Slot, tone_map: ToneMap) -> Photo:
    """The photo with its map applied; alpha, metadata and format stay as they are."""
    strength = 1.0 if slot.step is None else slot.step.strength
    with timed("apply_ms", slot):
        pixels = apply_tone_map(slot.photo.pixels, tone_map.toward_identity(strength))
        if slot.photo.grey:  # it has no colour to balance, and must not be given any
            pixels = without_colour(pixels)
    return dataclasses.replace(slot.photo, pixels=pixels)
