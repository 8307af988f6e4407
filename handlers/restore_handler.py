"""Entry file of the archive `restore`."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.imaging.colour import without_colour
from darkroom.imaging.photo import Photo, Pixels
from darkroom.imaging.resizing import shrink
from darkroom.imaging.tiles import TILE_PX, apply_correction
from darkroom.imaging.upsampling import apply_lines, describe
from darkroom.imaging.working_size import Pace, working_size
from darkroom.inference.restore import load_restorer, told_vector
from darkroom.inference.tiled import Work, correct_photos
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed

TILES_AT_ONCE = {"cpu": 4, "cuda": 64}  # more make a processor no faster, and take its memory
GREY_SPREAD = 3  # levels between channels up to which a photo counts as grey

Severities = Mapping[Defect, float]
Correction = tuple[Pixels, NDArray[np.int16]]  # of a photo shrunk to its working size, and that


class RestoreHandler(PhotoHandler[Severities, Correction | None]):
    """Take noise, blur and JPEG traces away, at the largest working size that time allows."""

    def load(self, weights: Path) -> None:
        self.restorer = load_restorer(weights, self.device)
        self.pace = Pace()

    def look(self, slot: Slot) -> Severities:
        """The defects to mend with their severities; none where nothing is to be done."""
        asked = slot.asked_of(Enhancer.RESTORE)
        return {} if slot.step is not None and slot.step.strength == 0 else asked

    def find(self, slots: Sequence[Slot], seen: Sequence[Severities]) -> list[Correction | None]:
        """Shrinks here, too: the size to work at depends on the time that is left by now."""
        chosen = [(slot, asked) for slot, asked in zip(slots, seen, strict=True) if asked]
        together = [slot for slot, _ in chosen]
        shared_by = slots[0].batch - slots[0].index  # those of this batch that are still to come
        sizes = [self._size_for(slot, shared_by) for slot in together]
        with timed("apply_ms", *together):
            work = [
                Work(
                    shrink(slot.photo.pixels, *size),
                    told_vector(asked, size[0] / slot.photo.pixels.shape[0]),
                )
                for (slot, asked), size in zip(chosen, sizes, strict=True)
            ]
        steps = self._correct(together, work)
        found = iter(zip((shrunken.pixels for shrunken in work), steps, strict=True))
        return [next(found) if asked else None for asked in seen]

    def apply(self, slot: Slot, found: Correction | None) -> Photo:
        """The photo with its correction; alpha, metadata and format stay as they are."""
        if found is None:
            return slot.photo
        full, (small, steps) = slot.photo.pixels, found
        strength = 1.0 if slot.step is None else slot.step.strength
        with timed("apply_ms", slot):
            if small.shape == full.shape:
                pixels = apply_correction(full, steps, strength)
            else:
                restored = apply_correction(small, steps, 1.0)
                lines = describe(
                    full, small, restored, noisy=Defect.NOISY in slot.asked_of(Enhancer.RESTORE)
                )
                pixels = apply_lines(full, lines, strength)
            if slot.photo.grey or _is_grey(full):
                pixels = without_colour(pixels)
        if small.shape != full.shape:
            self.pace.learn_apply(full.size / 3e6, slot.stages.apply_ms)
        return dataclasses.replace(slot.photo, pixels=pixels)

    def encoded(self, slot: Slot) -> None:
        self.pace.learn_encoding(
            slot.photo.format, slot.photo.pixels.size / 3e6, slot.stages.encode_ms
        )

    def _size_for(self, slot: Slot, shared_by: int) -> tuple[int, int]:
        """The working size, where so many photos share the time that is left.

        Raises:
            OutOfTime: there is not enough of it for any useful size.
        """
        height, width = slot.photo.pixels.shape[:2]
        left_ms = slot.left_ms
        if left_ms is not None:
            left_ms /= shared_by
            encoding_ms = self.pace.encoding_ms.get(slot.photo.format, 0.0)
            left_ms -= encoding_ms * height * width / 1e6  # which is still to come
        size = working_size(height, width, TILE_PX, left_ms, self.pace)
        if size != (height, width):
            slot.note("working_px", max(size))
        return size

    def _correct(self, slots: Sequence[Slot], work: list[Work]) -> list[NDArray[np.int16]]:
        batch = TILES_AT_ONCE[self.device.partition(":")[0]]
        start = time.perf_counter()
        with timed("network_ms", *slots):
            done = correct_photos(self.restorer, work, TILE_PX, batch)
        if done.tiles:
            self.pace.learn_tiles(done.tiles, (time.perf_counter() - start) * 1000)
        for slot in slots:
            if (done.tile_px, done.batch) != (TILE_PX, batch):  # memory was short
                slot.note("tile_px", done.tile_px)
                slot.note("tile_batch", done.batch)
        return [canvas.steps for canvas in done.canvases]


def _is_grey(pixels: Pixels) -> bool:
    """Whether a photo stored in colour has none; a sample of its pixels tells."""
    sample = pixels[::16, ::16].astype(np.int16)
    return bool((sample.max(axis=2) - sample.min(axis=2)).max() <= GREY_SPREAD)
