"""Colours for a photo's own light: its luma stays as it is, chroma comes from a small square.

Chroma is U and V of BT.601 YUV as OpenCV's float `COLOR_RGB2YUV` has them, without the offset of
one half: U = 0.492 (B - Y), V = 0.877 (R - Y) for R, G, B and Y in [0, 1].

A network's colours are coarse and bleed a little over edges. They are brought to full size by joint
bilateral upsampling (Kopf et al. 2007): a pixel takes the colours of those places around it that
are as light as itself, so that colours end where the photo's own edges are.
"""

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel, kernel_part
from darkroom.imaging.photo import Pixels

Luma = NDArray[np.uint8]  # (H, W)
Chroma = NDArray[np.float32]  # (h, w, 2)
Plane = NDArray[np.float32]

U_OF_BLUE, V_OF_RED = 0.492, 0.877
# Of R, G and B in [0, 1]; the networks' squares are normalised by them.
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE_STEP = 16  # pixels of a network's square for one of render factor
LUMA = (0.299, 0.587, 0.114)  # of R, G and B
_RED, _GREEN, _BLUE = LUMA
_LEVELS_ALIKE = 16.0  # luma differing by this much tells two surfaces apart
_GREY = 2  # channels that differ by more make a colour
_TONED = 0.016  # deviation of chroma from what its luma explains; sepia prints have 0.002 to 0.01


class Colours(StrEnum):
    """What colours a photo has before it is given any."""

    NONE = "none"
    TONED = "toned"  # one tint that depends on the luma alone: sepia, a faded or yellowed print
    OWN = "own"


def luma_of(pixels: Pixels) -> Luma:
    """Y of BT.601, (H, W) uint8."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def chroma_of(pixels: Pixels) -> Chroma:
    """U and V of sRGB pixels (H, W, 3) uint8, as (H, W, 2)."""
    yuv = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2YUV)
    return np.asarray(yuv[..., 1:] - 0.5, np.float32)


def square_of(luma: Luma, side: int) -> Luma:
    """What a network sees: the whole frame squeezed to (side, side)."""
    shrinks = min(luma.shape) >= side
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (side, side), interpolation=kind), np.uint8)


def colours_of(thumbnail: Pixels) -> Colours:
    """Tell grey, toned and coloured photos apart by a thumbnail (h, w, 3)."""
    if np.ptp(thumbnail.astype(np.int16), axis=2).max() <= _GREY:
        return Colours.NONE
    # Softly, because noise and compression are no colours.
    soft = np.asarray(cv2.blur(thumbnail, (3, 3)), np.uint8)
    band = luma_of(soft).ravel() >> 4
    chroma = chroma_of(soft).reshape(-1, 2)
    counts = np.maximum(np.bincount(band, minlength=16), 1)
    means = np.stack([np.bincount(band, plane, 16) / counts for plane in chroma.T], axis=1)
    unexplained = float(np.sqrt(((chroma - means[band]) ** 2).sum(axis=1).mean()))
    return Colours.OWN if unexplained > _TONED else Colours.TONED


def colour(pixels: Pixels, luma: Luma, chroma: Chroma, strength: float = 1.0) -> Pixels:
    """`pixels` (H, W, 3) with the chroma of a square, any size; its own luma (H, W) stays.

    Strength 0 leaves the photo's own chroma, 1 replaces it. Where a colour does not fit its luma it
    becomes paler: light is never traded for colour.
    """
    height, width = luma.shape
    rows, columns = min(chroma.shape[0], height), min(chroma.shape[1], width)
    if (rows, columns) != chroma.shape[:2]:
        shrunk = cv2.resize(chroma, (columns, rows), interpolation=cv2.INTER_AREA)
        chroma = np.asarray(shrunk, np.float32).reshape(rows, columns, 2)
    guide = np.asarray(cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    coloured = np.empty_like(pixels)
    _apply(
        np.require(pixels, np.uint8, ["C", "W"]),
        np.require(luma, np.uint8, ["C", "W"]),
        np.dstack([guide, np.asarray(chroma, np.float32)]),
        np.float32(strength),
        coloured,
    )
    return coloured


@kernel_part(fastmath=True)
def _likeness(difference: np.float32) -> np.float32:
    """How much a place counts by the levels between its luma and a pixel's: nearly a bell.

    Never nothing, so that a speck unlike all around it takes their mean.
    """
    scaled = difference / np.float32(_LEVELS_ALIKE)
    near = np.float32(1) / (np.float32(1) + scaled * scaled)
    near *= near
    return near * near + np.float32(1e-4)


@kernel_part()
def _taps(count: int, cells: int) -> tuple[NDArray[np.int64], Plane]:
    """The middle one of the three cells around each of `count` pixels in a row; their weights."""
    middle = np.empty(count, np.int64)
    weights = np.empty((3, count), np.float32)
    for index in range(count):
        position = (index + 0.5) * cells / count - 0.5
        middle[index] = int(np.floor(position + 0.5))
        for tap in range(3):
            distance = position - (middle[index] - 1 + tap)
            weights[tap, index] = np.exp(-distance * distance)
    return middle, weights


@kernel_part(fastmath=True)
def _weigh(level: Plane, place: Plane, by_column: Plane, by_row: np.float32, out: Plane) -> None:
    """How much one place counts for each pixel of a row: near ones and equally light ones most."""
    for x in range(level.size):
        out[x] = by_row * by_column[x] * _likeness(place[x] - level[x])


@kernel_part(fastmath=True)
def _add(total: Plane, weight: Plane, values: Plane) -> None:
    # A loop for each plane: with more arrays the compiler gives up vectorising.
    for x in range(total.size):
        total[x] += weight[x] * values[x]


@kernel_part(fastmath=True)
def _finish(pixels: Pixels, level: Plane, sums: Plane, strength: np.float32, out: Pixels) -> None:
    """One row of pixels from its luma and weighted sums of chroma."""
    to_red = 255 * strength / np.float32(V_OF_RED)
    to_blue = 255 * strength / np.float32(U_OF_BLUE)
    kept, half = np.float32(1) - strength, np.float32(0.5)
    for x in range(level.size):
        own = level[x]
        red = to_red * sums[2, x] / sums[0, x]
        blue = to_blue * sums[1, x] / sums[0, x]
        if kept > 0:
            red += kept * (pixels[x, 0] - own)
            blue += kept * (pixels[x, 2] - own)
        green = -(np.float32(_RED) * red + np.float32(_BLUE) * blue) / np.float32(_GREEN)
        highest = max(max(red, green), blue)
        lowest = min(min(red, green), blue)
        room, space = np.float32(1), np.float32(255) - own
        if highest > space:
            room = space / highest
        if -lowest * room > own:
            room = -own / lowest
        out[x, 0] = np.uint8(own + room * red + half)
        out[x, 1] = np.uint8(own + room * green + half)
        out[x, 2] = np.uint8(own + room * blue + half)


@kernel("void(u1[:,:,::1], u1[:,::1], f4[:,:,::1], f4, u1[:,:,::1])", fastmath=True)
def _apply(
    pixels: Pixels, luma: Luma, cells: NDArray[np.float32], strength: np.float32, out: Pixels
) -> None:
    """Colour every pixel by `cells` (h, w, 3): luma in levels, U and V."""
    height, width = luma.shape
    rows, columns = cells.shape[:2]
    middle_row, row_weights = _taps(height, rows)
    middle_column, column_weights = _taps(width, columns)
    # Three rows of cells, spread over the photo's width for each of the three taps.
    spread = np.empty((3, 3, 3, width), np.float32)
    held = np.full(3, -1, np.int64)
    level = np.empty(width, np.float32)
    weight, ones = np.empty(width, np.float32), np.ones(width, np.float32)
    sums = np.empty((3, width), np.float32)  # of weights, of weighted U and V
    for y in range(height):
        sums[:] = 0
        for x in range(width):
            level[x] = luma[y, x]
        for tap in range(3):
            row = min(max(middle_row[y] - 1 + tap, 0), rows - 1)
            place = row % 3
            if held[place] != row:
                held[place] = row
                for step in range(3):
                    for x in range(width):
                        column = min(max(middle_column[x] - 1 + step, 0), columns - 1)
                        for plane in range(3):
                            spread[place, step, plane, x] = cells[row, column, plane]
            for step in range(3):
                seen = spread[place, step]
                _weigh(level, seen[0], column_weights[step], row_weights[tap, y], weight)
                _add(sums[0], weight, ones)
                _add(sums[1], weight, seen[1])
                _add(sums[2], weight, seen[2])
        _finish(pixels[y], level, sums, strength, out[y])
