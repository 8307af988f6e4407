"""Compiled loops that count the pixels and the edges of a thumbnail, for `views`.

Each counts in one pass what numpy needs a dozen for, and fills an array of whole numbers or of sums
in the pixels' order: the results are numpy's to the last bit, which the networks were trained with.
"""

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel, kernel_part
from darkroom.imaging.photo import Pixels

Counts = NDArray[np.int64]
Float = NDArray[np.float32]
Sums = NDArray[np.float64]
Table = NDArray[np.int32]  # (256,): where a pixel counts, of its brightest channel


@kernel_part()
def _tint(logarithm: Float, red: int, green: int, blue: int) -> tuple[np.float32, np.float32]:
    """Two logarithms of ratios: of red to green and of blue to green."""
    return logarithm[red] - logarithm[green], logarithm[blue] - logarithm[green]


@kernel_part()
def _cell(tint: np.float32, side: int, last: np.float32) -> int:
    """Where a logarithm of two channels' ratio lies among `side` cells over ±1."""
    place = (tint + np.float32(1)) * np.float32(side / 2)
    return int(min(max(place, np.float32(0)), last))


@kernel("void(u1[:,:,::1], f4[::1], i4[::1], i8[::1], i8[:,::1], f8[:,::1])")
def count_tints(
    pixels: Pixels, logarithm: Float, bands: Table, counts: Counts, histogram: Counts, sums: Sums
) -> None:
    """Count pixels in `bands`, and by log(R/G) and log(B/G) in (S, S); add up both by band."""
    side = len(histogram)
    last = np.float32(side - 0.1)
    for y in range(pixels.shape[0]):
        for x in range(pixels.shape[1]):
            red, green, blue = pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2]
            warm, cool = _tint(logarithm, red, green, blue)
            band = bands[max(red, green, blue)]
            counts[band] += 1
            sums[0, band] += warm
            sums[1, band] += cool
            histogram[_cell(warm, side, last), _cell(cool, side, last)] += 1


@kernel("void(u1[:,:,::1], f4[::1], i4[::1], i8[:,:,::1])")
def count_chroma(pixels: Pixels, logarithm: Float, planes: Table, counts: Counts) -> None:
    """Count in (5, S, S) pixels by log(R/G) and log(B/G); in the last plane, steps by strength.

    The planes before it are those that `planes` names. `logarithm` is of levels up to 510.
    """
    side = counts.shape[1]
    last = np.float32(side - 0.01)
    for y in range(pixels.shape[0]):
        for x in range(pixels.shape[1]):
            red, green, blue = pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2]
            warm, cool = _tint(logarithm, red, green, blue)
            plane = planes[max(red, green, blue)]
            counts[plane, _cell(warm, side, last), _cell(cool, side, last)] += 1
    steps = np.empty(3, np.int64)
    # Of every other row: as good, at half the cost.
    for y in range(1, pixels.shape[0] - 1, 2):
        for x in range(1, pixels.shape[1] - 1):
            for c in range(3):
                across = np.int64(pixels[y, x + 1, c]) - np.int64(pixels[y, x - 1, c])
                down = np.int64(pixels[y + 1, x, c]) - np.int64(pixels[y - 1, x, c])
                steps[c] = abs(across) + abs(down)
            warm, cool = _tint(logarithm, steps[0], steps[1], steps[2])
            counts[4, _cell(warm, side, last), _cell(cool, side, last)] += steps.sum()


@kernel("i8(f4[:,::1], f4[:,::1], f4[:,::1], f4, f4[:,::1])")
def keep_strong(
    across: Float, down: Float, strength: Float, faintest: np.float32, kept: Float
) -> int:
    """Put the gradients stronger than `faintest` into `kept` (3, N), and say how many they are."""
    count = 0
    for y in range(strength.shape[0]):
        for x in range(strength.shape[1]):
            if strength[y, x] > faintest:
                kept[0, count] = across[y, x]
                kept[1, count] = down[y, x]
                kept[2, count] = strength[y, x]
                count += 1
    return count


@kernel("void(f4[::1], f4[::1], f8[:,::1])")
def count_directions(degrees: Float, strength: Float, sums: Sums) -> None:
    """Add up in (2, N) the roots of gradients' strengths, by degrees: of upright edges, of level.

    The bins are of 1° each, N / 2 of them to either side.
    """
    bins = sums.shape[1]
    for edge in range(degrees.size):
        turned = degrees[edge] + np.float32(bins // 2)
        # The gradient of an upright edge points across; both its senses are one direction.
        for _ in range(2):
            if turned >= np.float32(180):
                turned -= np.float32(180)
        level = 0
        if turned >= np.float32(90):
            turned -= np.float32(90)
            level = 1
        if turned < bins:
            sums[level, int(turned)] += np.sqrt(strength[edge])
