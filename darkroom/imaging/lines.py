"""Straight edges near upright and near level, to a fraction of a pixel.

An edge is followed from row to row: in each row a maximum of the gradient across, refined by a
parabola, joins the edge that ended beside it, as long as it stays on that edge's own straight line.
A regression over all its rows then gives the direction ten times finer than the pixel grid. Level
edges are the upright ones of the transposed photo. On a reduced photo this takes a third of the
time of OpenCV's line segment detector, which also finds what points anywhere else.

Coordinates are those of a camera of a believable focal length: (x, y) is a pixel's offset from the
centre, y downward, divided by `FOCAL` times the long side, whatever the photo's size.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from darkroom.imaging.photo import Pixels

Float = NDArray[np.float32]

LONG_SIDE_PX = 800  # of the reduced photo in which edges are followed
FOCAL = 0.8  # of the long side: a 29 mm lens on a full frame, between a telephone and a wide zoom
STEEPEST_DEGREES = 20.0  # from upright or level: edges further off tell nothing about a tilt
SHORTEST = 0.03  # of the long side: what is shorter has no direction to speak of
SHORTEST_PX = 10
_SLOPE = float(np.tan(np.radians(STEEPEST_DEGREES)))
_STRAY_PX = 0.8  # how far an edge may stray from its line before it is another edge
_FAINTEST = 2.0  # levels a pixel across: below is noise
_MOST = 4000  # edges followed in each direction


@dataclass(frozen=True)
class Edges:
    """Straight edges of one direction, N of them.

    x, y: (N,) float32, the middle, in the module's coordinates.
    degrees: (N,) float32, from upright (or from level), counter-clockwise as seen.
    length: (N,) float32, as a share of the long side.
    strength: (N,) float32, mean gradient across, levels a pixel.
    """

    x: Float
    y: Float
    degrees: Float
    length: Float
    strength: Float


@dataclass(frozen=True)
class Lines:
    upright: Edges
    level: Edges


def find_lines(pixels: Pixels) -> Lines:
    """Find the straight edges of a photo (H, W, 3) uint8 of any size."""
    grey = _reduce(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    across = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32), np.float32)
    down = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32), np.float32)
    faintest = max(_FAINTEST, 0.5 * float(cv2.mean(cv2.magnitude(across, down))[0]))
    return Lines(
        _edges(_follow_all(across, down, faintest), grey.shape, sense=1),
        _edges(_follow_all(_turned(down), _turned(across), faintest), grey.shape, sense=-1),
    )


def _reduce(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    while max(grey.shape) >= 2 * LONG_SIDE_PX:
        height, width = (max(1, side // 2) for side in grey.shape)
        # Exactly half where it can be: OpenCV has a vector path for that one ratio.
        even = grey[: max(1, 2 * height), : max(1, 2 * width)]
        grey = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    scale = LONG_SIDE_PX / max(grey.shape)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    # By less than half, and smoothed next: areas would cost 5 ms more and change nothing.
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _turned(plane: Float) -> Float:
    return np.ascontiguousarray(plane.T)


def _follow_all(across: Float, down: Float, faintest: float) -> Float:
    shortest = max(SHORTEST_PX, SHORTEST * max(across.shape))
    found = np.empty((_MOST, 5), np.float32)
    count = _follow(across, down, faintest, shortest, found)
    return found[:count]


def _edges(found: Float, shape: tuple[int, ...], sense: int) -> Edges:
    """What `_follow` found, in the module's coordinates; `sense` is -1 for the transposed photo."""
    height, width = shape
    long_side = max(height, width)
    middle = found[:, :2] if sense > 0 else found[:, 1::-1]
    centre = np.asarray([(width - 1) / 2, (height - 1) / 2], np.float32)
    x, y = ((middle - centre) / np.float32(FOCAL * long_side)).T
    degrees = np.degrees(np.arctan(sense * found[:, 2]))
    return Edges(x, y, degrees, found[:, 3] / np.float32(long_side), found[:, 4])


@njit("i8(f4[:,::1], f4[:,::1], f8, f8, f4[:,::1])", nogil=True, cache=True)
def _follow(across: Float, down: Float, faintest: float, shortest: float, found: Float) -> int:
    """Follow edges down the rows of the gradient; fill `found` and return how many there are.

    Each row of it: x and y of the middle in pixels, dx/dy, length in pixels, mean gradient.
    """
    height, width = across.shape
    owner = np.full(width, -1, np.int64)  # the edge that last ended in this column
    sums = np.zeros((height * width // 8 + 1, 9))  # n, Σy, Σx, Σy², Σxy, Σ|g|, sign, first, last
    edges = 0
    for row in range(1, height - 1):
        column = 1
        while column < width - 1:
            g = across[row, column]
            size = abs(g)
            before, after = abs(across[row, column - 1]), abs(across[row, column + 1])
            if size < faintest or size < before or size <= after:
                column += 1
                continue
            if abs(down[row, column]) > 0.7 * size:
                column += 1
                continue
            bend = before - 2 * size + after
            x = column + (0.5 * (before - after) / bend if bend < 0 else 0.0)
            sign = 1.0 if g > 0 else -1.0
            best, nearest = -1, _STRAY_PX
            for beside in range(column - 1, column + 2):
                edge = owner[beside]
                if edge < 0 or sums[edge, 6] != sign:
                    continue
                gap = row - sums[edge, 8]
                if gap < 1 or gap > 2:
                    continue
                n, first = sums[edge, 0], sums[edge, 7]
                spread = n * sums[edge, 3] - sums[edge, 1] ** 2
                if n >= 6:
                    slope = (n * sums[edge, 4] - sums[edge, 1] * sums[edge, 2]) / spread
                else:
                    slope = 0.0
                expected = (sums[edge, 2] + slope * (n * (row - first) - sums[edge, 1])) / n
                stray = abs(x - expected) * (1.0 if n >= 6 else 0.5)
                if stray < nearest:
                    best, nearest = edge, stray
            if best < 0:
                if edges == len(sums):
                    return 0
                best = edges
                edges += 1
                sums[best, 6], sums[best, 7] = sign, row
            along = row - sums[best, 7]
            sums[best, 0] += 1
            sums[best, 1] += along
            sums[best, 2] += x
            sums[best, 3] += along * along
            sums[best, 4] += along * x
            sums[best, 5] += size
            sums[best, 8] = row
            owner[column] = best
            column += 2
    count = 0
    for edge in range(edges):
        n = sums[edge, 0]
        length = sums[edge, 8] - sums[edge, 7] + 1
        if length < shortest or n < 0.7 * length or count == len(found):
            continue
        spread = n * sums[edge, 3] - sums[edge, 1] ** 2
        slope = (n * sums[edge, 4] - sums[edge, 1] * sums[edge, 2]) / spread
        if abs(slope) > _SLOPE:
            continue
        found[count, 0] = sums[edge, 2] / n
        found[count, 1] = sums[edge, 1] / n + sums[edge, 7]
        found[count, 2] = slope
        found[count, 3] = length
        found[count, 4] = sums[edge, 5] / n
        count += 1
    return count
