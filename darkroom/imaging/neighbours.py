"""Compiled loops over the pixels of patches and their neighbours, for `texture`.

They sum whole numbers, so that no order of summing changes a result.
"""

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel, kernel_part
from darkroom.imaging.photo import Pixels

PATCH_PX = 64  # a constant, for which the compiler unrolls the loops

Plane = NDArray[np.uint8]  # a patch, row after row, or one of its rows
Sums = NDArray[np.int64]


@kernel_part()
def _compare(ones: Plane, others: Plane) -> np.int64:
    """How much pixels differ, summed. Slices, not offsets, let the compiler vectorise the loop."""
    total = np.int64(0)
    for at in range(ones.size):
        total += abs(np.int32(ones[at]) - np.int32(others[at]))
    return total


@kernel_part()
def _compare_powers(ones: Plane, others: Plane, sums: Sums) -> None:
    """The same, and of the differences' second and fourth powers: three numbers."""
    first = second = fourth = np.int64(0)
    for at in range(ones.size):
        step = abs(np.int32(ones[at]) - np.int32(others[at]))
        square = step * step
        first += step
        second += square
        fourth += square * square
    sums[0], sums[1], sums[2] = first, second, fourth


@kernel_part()
def _crests(line: Plane) -> np.int64:
    """How far pixels rise above both neighbours, summed; the line is mirrored at its ends."""
    total, last = np.int64(0), line.size - 1
    for x in range(1, last):
        bend = 2 * np.int32(line[x]) - np.int32(line[x - 1]) - np.int32(line[x + 1])
        total += min(max(bend, np.int32(0)), np.int32(255))
    for end, inner in ((0, 1), (last, last - 1)):
        bend = 2 * (np.int32(line[end]) - np.int32(line[inner]))
        total += min(max(bend, np.int32(0)), np.int32(255))
    return total


@kernel_part()
def _bend(above: Plane, middle: Plane, below: Plane) -> np.int64:
    total = np.int64(0)
    for at in range(middle.size):
        total += abs(np.int32(above[at]) + np.int32(below[at]) - 2 * np.int32(middle[at]))
    return total


@kernel_part()
def _cross(above: Plane, below: Plane) -> np.int64:
    """How much the steps to the right differ between two rows, summed."""
    total = np.int64(0)
    for x in range(above.size - 1):
        upper = np.int32(above[x + 1]) - np.int32(above[x])
        lower = np.int32(below[x + 1]) - np.int32(below[x])
        total += abs(lower - upper)
    return total


@kernel_part()
def _row(patch: Plane, row: int) -> Plane:
    return patch[row * PATCH_PX : (row + 1) * PATCH_PX]


@kernel_part()
def _sum_down(flat: Plane, sums: Sums) -> None:
    """The numbers of luma in one direction, in the order of `texture_of`."""
    px = PATCH_PX
    _compare_powers(flat[px:], flat[:-px], sums[:3])
    for row in range(7, px - 1, 8):
        sums[3] += _compare(_row(flat, row + 1), _row(flat, row))
    for row in range(3, px - 1, 8):
        sums[4] += _compare(_row(flat, row + 1), _row(flat, row))
    sums[5] = _compare(flat[2 * px :], flat[: -2 * px])
    _compare_powers(flat[4 * px :], flat[: -4 * px], sums[6:9])
    sums[9] = _compare(flat[8 * px :], flat[: -8 * px])
    sums[10] = _bend(flat[: -2 * px], flat[px:-px], flat[2 * px :])


@kernel_part()
def _sum_diagonals(flat: Plane, sums: Sums) -> None:
    """On the corners of the 8-pixel grid, at all."""
    for row in range(PATCH_PX - 1):
        sums[1] += _cross(_row(flat, row), _row(flat, row + 1))
    for row in range(7, PATCH_PX - 1, 8):
        for x in range(7, PATCH_PX - 1, 8):
            sums[0] += _cross(_row(flat, row)[x : x + 2], _row(flat, row + 1)[x : x + 2])


@kernel_part()
def _sum_levels(flat: Plane, sums: Sums) -> None:
    """All levels, and how many are clipped."""
    total = clipped = np.int64(0)
    for level in flat:
        total += level
        clipped += (level < 4) | (level > 251)
    sums[0], sums[1] = total, clipped


@kernel("void(u1[:,:,:,::1], i8[:,::1])")
def sum_differences(patches: Pixels, sums: Sums) -> None:
    """Sum up in (N, 32) what `texture_of` takes the means of, in patches of Y, Cr and Cb."""
    # Turned, pixels across lie as those down do: rows are compared, in long loops.
    down = np.empty((3, PATCH_PX * PATCH_PX), np.uint8)
    across = np.empty((3, PATCH_PX * PATCH_PX), np.uint8)
    for patch in range(len(patches)):
        for y in range(PATCH_PX):
            for x in range(PATCH_PX):
                for plane in range(3):
                    level = patches[patch, y, x, plane]
                    down[plane, y * PATCH_PX + x] = level
                    across[plane, x * PATCH_PX + y] = level
        own = sums[patch]
        _sum_down(across[0], own[:11])
        _sum_down(down[0], own[11:22])
        _sum_diagonals(down[0], own[22:24])
        for plane in range(1, 3):
            flat = across[plane]
            for number, lag in enumerate((PATCH_PX, 2 * PATCH_PX, 8 * PATCH_PX)):
                own[21 + 3 * plane + number] = _compare(flat[lag:], flat[:-lag])
        _sum_levels(down[0], own[30:])


# Of any layout, and read-only, as what Pillow decodes is: a copy would cost more than the loop.
_PHOTO = "Array(u1, 3, 'A', readonly=True)"


@kernel(f"void({_PHOTO}, i8[:,::1], i8[::1], f4[:,::1])")
def survey(
    pixels: Pixels, corners: NDArray[np.int64], detail: Sums, sampled: NDArray[np.float32]
) -> None:
    """Look over patches of `pixels` (H, W, 3) at `corners` (N, 2): every fourth row of green.

    `detail` (N,): how much lines bend at single pixels, summed over crests, as half says all.
    `sampled` (N, 256): every fourth pixel of these rows.
    """
    line = np.empty(PATCH_PX, np.uint8)
    for patch in range(len(corners)):
        top, left = corners[patch]
        at = 0
        for y in range(top, top + PATCH_PX, 4):
            for x in range(PATCH_PX):
                line[x] = pixels[y, left + x, 1]
            detail[patch] += _crests(line)
            for x in range(0, PATCH_PX, 4):
                sampled[patch, at] = line[x]
                at += 1
