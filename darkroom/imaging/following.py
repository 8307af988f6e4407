"""Follow straight edges from row to row of a gradient; compiled, for it looks at every pixel.

In each row a maximum of the gradient across joins the edge that ended beside it, as long as it
stays on that edge's own straight line; else it begins an edge.
"""

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel, kernel_part

Float = NDArray[np.float32]
Sums = NDArray[np.float64]  # of one edge, (9,), or of all, (N, 9)

STEEPEST_DEGREES = 20.0  # from upright: edges further off tell nothing about a tilt
_SLOPE = float(np.tan(np.radians(STEEPEST_DEGREES)))
_STRAY_PX = 0.8  # how far an edge may stray from its line before it is another edge
# What is kept of an edge while it is followed: sums over its points (y from its first row, x, and
# the size of the gradient), the gradient's sign, and the first and last of its rows.
_N, _Y, _X, _YY, _XY, _SIZE, _SIGN, _FIRST, _LAST = range(9)
_STEADY = 6  # points from which an edge's own line is trusted


@kernel_part()
def _crest(before: float, size: float, after: float) -> float:
    """How far from the middle one of three neighbours a parabola through them has its crest."""
    bend = before - 2 * size + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


@kernel_part(inline="always")
def _beside(
    edges: Sums, owner: NDArray[np.int64], row: int, column: int, x: float, sign: float
) -> int:
    """The edge that ended a row or two above and whose line comes nearest to `x`; -1: none."""
    best, nearest = -1, _STRAY_PX
    for neighbour in range(column - 1, column + 2):
        edge = owner[neighbour]
        if edge < 0 or edges[edge, _SIGN] != sign:
            continue
        gap = row - edges[edge, _LAST]
        if gap < 1 or gap > 2:
            continue
        n = edges[edge, _N]
        slope = _slope(edges[edge]) if n >= _STEADY else 0.0
        along = n * (row - edges[edge, _FIRST]) - edges[edge, _Y]
        stray = abs(x - (edges[edge, _X] + slope * along) / n) * (1.0 if n >= _STEADY else 0.5)
        if stray < nearest:
            best, nearest = edge, stray
    return best


@kernel_part(inline="always")
def _add_point(edge: Sums, row: int, x: float, size: float) -> None:
    along = row - edge[_FIRST]
    edge[_N] += 1
    edge[_Y] += along
    edge[_X] += x
    edge[_YY] += along * along
    edge[_XY] += along * x
    edge[_SIZE] += size
    edge[_LAST] = row


@kernel_part(inline="always")
def _slope(edge: Sums) -> float:
    """dx/dy of the regression over an edge's points."""
    spread = edge[_N] * edge[_YY] - edge[_Y] ** 2
    return float((edge[_N] * edge[_XY] - edge[_Y] * edge[_X]) / spread)


@kernel_part()
def _keep_straight(edges: Sums, shortest: float, found: Float) -> int:
    """Put the edges that are long, unbroken and steep enough into `found`; how many they are."""
    count = 0
    for edge in edges:
        length = edge[_LAST] - edge[_FIRST] + 1
        if length < shortest or edge[_N] < 0.7 * length or count == len(found):
            continue
        slope = _slope(edge)
        if abs(slope) > _SLOPE:
            continue
        found[count, 0] = edge[_X] / edge[_N]
        found[count, 1] = edge[_Y] / edge[_N] + edge[_FIRST]
        found[count, 2] = slope
        found[count, 3] = length
        found[count, 4] = edge[_SIZE] / edge[_N]
        count += 1
    return count


@kernel("i8(f4[:,::1], f4[:,::1], f8, f8, f4[:,::1])")
def follow(across: Float, down: Float, faintest: float, shortest: float, found: Float) -> int:
    """Follow edges down the rows of the gradient; fill `found` and return how many there are.

    Each row of it: x and y of the middle in pixels, dx/dy, length in pixels, mean gradient.
    """
    height, width = across.shape
    owner = np.full(width, -1, np.int64)  # the edge that last ended in this column
    edges = np.zeros((height * width // 8 + 1, 9))
    count = 0
    for row in range(1, height - 1):
        column = 1
        while column < width - 1:
            # Of plain numbers, for this is every pixel: handing arrays on takes four times as long.
            size = abs(across[row, column])
            before, after = abs(across[row, column - 1]), abs(across[row, column + 1])
            is_crest = size >= faintest and size >= before and size > after
            if not is_crest or abs(down[row, column]) > 0.7 * size:
                column += 1
                continue
            x = column + _crest(before, size, after)
            sign = 1.0 if across[row, column] > 0 else -1.0
            edge = _beside(edges, owner, row, column, x, sign)
            if edge < 0:
                if count == len(edges):
                    return 0
                edge = count
                count += 1
                edges[edge, _SIGN], edges[edge, _FIRST] = sign, row
            _add_point(edges[edge], row, x, size)
            owner[column] = edge
            column += 2
    return _keep_straight(edges[:count], shortest, found)
