"""Photos in overlapping tiles of one size, and what is predicted for tiles put together again.

Neighbours overlap; across the seam one fades out while the other fades in, so that no line shows
where they meet. What a tile says near its own border, where it could not see on, hardly counts.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel
from darkroom.imaging.photo import Pixels

TILE_PX = 352  # side in service, a multiple of 16: twelve cover an everyday photo of 1280×960
OVERLAP_PX = 32  # 16 leave seams, 64 cost a fifth more
STEPS = 64  # of a canvas in one 8-bit level: 16 bits hold ±511 levels, half the memory of a float


@dataclass(frozen=True)
class Tiling:
    """How a photo of (height, width) is covered by the fewest tiles of one size."""

    height: int
    width: int
    tile_px: int

    @property
    def rows(self) -> list[int]:
        return _starts(self.height, self.tile_px)

    @property
    def columns(self) -> list[int]:
        return _starts(self.width, self.tile_px)

    @property
    def places(self) -> list[tuple[int, int]]:
        """The upper left corners of the tiles, row by row."""
        return [(y, x) for y in self.rows for x in self.columns]

    def cut(self, pixels: Pixels) -> list[Pixels]:
        """The photo's tiles, each (tile_px, tile_px, 3); one that is smaller is mirrored."""
        below, right = max(0, self.tile_px - self.height), max(0, self.tile_px - self.width)
        if below or right:
            mirrored = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101)
            pixels = np.asarray(mirrored, np.uint8)
        side = self.tile_px
        return [pixels[y : y + side, x : x + side] for y, x in self.places]


class Canvas:
    """The correction of a whole photo, blended from those of its tiles as they come."""

    def __init__(self, tiling: Tiling) -> None:
        self.tiling = tiling
        self._rows = _weights(tiling.rows, tiling.tile_px)
        self._columns = _weights(tiling.columns, tiling.tile_px)
        shape = (max(tiling.height, tiling.tile_px), max(tiling.width, tiling.tile_px), 3)
        self._steps = np.zeros(shape, np.int16)

    def add(self, index: int, correction: NDArray[np.float32]) -> None:
        """Add the correction (tile_px, tile_px, 3), in levels, of tile number `index`."""
        row, column = divmod(index, len(self._columns))
        y, x = self.tiling.places[index]
        side = self.tiling.tile_px
        _blend(
            np.ascontiguousarray(correction, np.float32),
            self._rows[row],
            self._columns[column],
            self._steps[y : y + side, x : x + side],
        )

    @property
    def steps(self) -> NDArray[np.int16]:
        """The correction (H, W, 3), `STEPS` to a level."""
        return self._steps[: self.tiling.height, : self.tiling.width]


def tiles_along(extent: int, tile_px: int) -> int:
    return max(1, -(-(extent - OVERLAP_PX) // (tile_px - OVERLAP_PX)))


def longest_covered(tiles: int, tile_px: int) -> int:
    """The longest side that a number of tiles covers."""
    return tiles * (tile_px - OVERLAP_PX) + OVERLAP_PX


def apply_correction(pixels: Pixels, steps: NDArray[np.int16], strength: float) -> Pixels:
    """Add a correction (H, W, 3), as a canvas holds it, to `pixels`, weakened by `strength`."""
    mended = np.empty_like(pixels)
    _add(np.require(pixels, np.uint8, ["C", "W"]), steps, np.float32(strength / STEPS), mended)
    return mended


def _starts(extent: int, tile_px: int) -> list[int]:
    """Where the tiles start along one side: spread evenly, the last one ends with the photo."""
    count, last = tiles_along(extent, tile_px), max(0, extent - tile_px)
    return [round(index * last / max(1, count - 1)) for index in range(count)]


def _weights(starts: list[int], tile_px: int) -> list[NDArray[np.float32]]:
    """Each tile's weight along one side, (tile_px,); together they are 1 everywhere.

    Neighbours may share more than the overlap: they fade in the middle of what they share.
    """
    middle = np.arange(tile_px, dtype=np.float32) + 0.5
    weights = [np.ones(tile_px, np.float32) for _ in starts]
    for index, (first, second) in enumerate(pairwise(starts)):
        begin = (first + tile_px + second - OVERLAP_PX) / 2  # of the fade, in the photo
        weights[index] *= 1 - np.clip((middle + first - begin) / OVERLAP_PX, 0, 1)
        weights[index + 1] *= np.clip((middle + second - begin) / OVERLAP_PX, 0, 1)
    return weights


@kernel("void(f4[:,:,::1], f4[::1], f4[::1], i2[:,:,:])", fastmath=True)
def _blend(
    correction: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    steps: NDArray[np.int16],
) -> None:
    half = np.float32(32768.5)  # shifted up, truncation rounds negative values as it does others
    for y in range(rows.size):
        for x in range(columns.size):
            weight = rows[y] * columns[x] * np.float32(STEPS)
            for c in range(3):
                steps[y, x, c] += np.int16(np.int32(correction[y, x, c] * weight + half) - 32768)


@kernel("void(u1[:,:,::1], i2[:,:,:], f4, u1[:,:,::1])", fastmath=True)
def _add(pixels: Pixels, steps: NDArray[np.int16], factor: np.float32, mended: Pixels) -> None:
    lowest, highest = np.float32(0.5), np.float32(255.5)  # half a level up: truncation then rounds
    for y in range(pixels.shape[0]):
        for x in range(pixels.shape[1]):
            for c in range(3):
                value = np.float32(pixels[y, x, c]) + factor * np.float32(steps[y, x, c]) + lowest
                value = value if value > lowest else lowest
                mended[y, x, c] = np.uint8(value if value < highest else highest)
