"""Pictures made smaller, by the average over areas."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel, kernel_part
from darkroom.imaging.photo import Pixels

Float = NDArray[np.float32]
Places = NDArray[np.int64]


def shrink(pixels: Pixels, height: int, width: int) -> Pixels:
    """Area-average (H, W, 3) to (height, width, 3), no larger than it was.

    By exact halves first: OpenCV has a vector path for that one ratio, and for no other.
    """
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        h, w = (side // 2 for side in pixels.shape[:2])
        pixels = _resize(pixels[: 2 * h, : 2 * w], h, w)
    if pixels.shape[:2] == (height, width):
        return pixels
    if pixels.shape[0] < height or pixels.shape[1] < width:
        return _resize(pixels, height, width)
    rows = np.require(pixels, np.uint8, ["C", "W"]).reshape(len(pixels), -1)
    shrunk = np.empty((height, 3 * width), np.uint8)
    _average(rows, *_shares(len(pixels), height), *_shares(pixels.shape[1], width), shrunk)
    return shrunk.reshape(height, width, 3)


def _resize(pixels: Pixels, height: int, width: int) -> Pixels:
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


@lru_cache(maxsize=16)
def _shares(before: int, after: int) -> tuple[Places, Float]:
    """Of `before` pixels in a line, what makes up each of the fewer `after`.

    The first of each (after,), and the shares of as many as any needs from there (after, N).
    """
    ends = np.arange(after + 1) * before / after
    most = int(np.max(np.ceil(ends[1:]) - np.floor(ends[:-1])))
    first = np.minimum(np.floor(ends[:-1]).astype(np.int64), before - most)
    pixel = first[:, None] + np.arange(most)
    covered = np.minimum(pixel + 1, ends[1:, None]) - np.maximum(pixel, ends[:-1, None])
    return first, (np.maximum(covered, 0) * after / before).astype(np.float32)


@kernel_part(fastmath=True)
def _add(row: Pixels, share: np.float32, line: Float) -> None:
    for at in range(line.size):
        line[at] += share * np.float32(row[at])


@kernel_part()
def _gather(line: Float, first: Places, shares: Float, shrunk: Pixels) -> None:
    """Average a line of pixels (3 W) to the fewer (3 w) of `shrunk`."""
    for x in range(first.size):
        red = green = blue = np.float32(0)
        for number in range(shares.shape[1]):
            share, at = shares[x, number], 3 * (first[x] + number)
            red += share * line[at]
            green += share * line[at + 1]
            blue += share * line[at + 2]
        shrunk[3 * x] = np.uint8(np.rint(red))
        shrunk[3 * x + 1] = np.uint8(np.rint(green))
        shrunk[3 * x + 2] = np.uint8(np.rint(blue))


@kernel("void(u1[:,::1], i8[::1], f4[:,::1], i8[::1], f4[:,::1], u1[:,::1])")
def _average(
    rows: Pixels,
    first_row: Places,
    row_shares: Float,
    first: Places,
    shares: Float,
    shrunk: Pixels,
) -> None:
    """Average rows (H, 3 W) down, in vectors, then across: fill `shrunk` (h, 3 w)."""
    line = np.empty(rows.shape[1], np.float32)
    for y in range(len(shrunk)):
        line[:] = 0
        for number in range(row_shares.shape[1]):
            _add(rows[first_row[y] + number], row_shares[y, number], line)
        _gather(line, first, shares, shrunk[y])
