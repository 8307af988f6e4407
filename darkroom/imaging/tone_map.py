"""The parameter space of `tone`: what its network predicts, and its application at full size.

A tone map is three curves followed by a coarse grid of affine colour transforms:

    out(x, y) = A(x, y) · [c_r(R), c_g(G), c_b(B), 1]

The curves mend what is alike everywhere (exposure, colour cast), the grid what varies over the
frame (haze, glare, falloff). After Gharbi et al. 2017, "Deep bilateral learning"
(arXiv:1707.02880), without the grid's luma axis: the curves do that part, by a 256-entry look-up a
channel instead of eight more grid levels to interpolate between at each pixel.
"""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.errors import MalformedRequest
from darkroom.imaging.kernels import kernel, kernel_part
from darkroom.imaging.photo import Pixels

Float = NDArray[np.float32]

PACKED_CURVES, PACKED_GRID = (3, 256), (8, 8, 3, 4)  # shapes of a map that is packed
_PACKED = np.dtype("<f2")  # half precision: a tenth of a level at white


@dataclass(frozen=True)
class ToneMap:
    """Curves (3, 256) float32: level of a channel → value, 1.0 is white; may exceed [0, 1].

    Grid (gh, gw, 3, 4) float32: an affine transform for each node; node centres lie at
    ((i + ½) / gh, (j + ½) / gw) of the frame, bilinear between, constant outside the outer ones.
    """

    curves: Float
    grid: Float

    @classmethod
    def identity(cls, grid_shape: tuple[int, int] = (8, 8)) -> "ToneMap":
        curve = np.arange(256, dtype=np.float32) / 255
        return cls(
            np.stack([curve] * 3), np.tile(np.eye(3, 4, dtype=np.float32), (*grid_shape, 1, 1))
        )

    def pack(self) -> str:
        """Curves, then grid, as base64 of half-precision numbers: 4 KB."""
        values = np.concatenate([self.curves.ravel(), self.grid.ravel()])
        return base64.b64encode(values.astype(_PACKED).tobytes()).decode()

    @classmethod
    def unpack(cls, packed: str) -> "ToneMap":
        """What `pack` has written of a map whose grid has 8 × 8 nodes.

        Raises:
            MalformedRequest: it is something else.
        """
        try:
            values = np.frombuffer(base64.b64decode(packed, validate=True), _PACKED)
            curves, grid = np.split(values.astype(np.float32), [np.prod(PACKED_CURVES)])
            unpacked = cls(curves.reshape(PACKED_CURVES), grid.reshape(PACKED_GRID))
        except ValueError as error:  # base64's own is one
            raise MalformedRequest("What was foreseen is no tone map.") from error
        if not np.isfinite(values).all():
            raise MalformedRequest("What was foreseen holds values that are no numbers.")
        return unpacked

    def toward_identity(self, strength: float) -> "ToneMap":
        """Weaken the map: 0 is the identity, 1 the map itself."""
        return ToneMap.identity(self.grid.shape[:2]).toward(self, strength)

    def toward(self, other: "ToneMap", share: float) -> "ToneMap":
        """Go `share`, 0 to 1, of the way to a map whose grid has the same shape."""
        return ToneMap(
            self.curves + np.float32(share) * (other.curves - self.curves),
            self.grid + np.float32(share) * (other.grid - self.grid),
        )


def apply_tone_map(pixels: Pixels, tone_map: ToneMap) -> Pixels:
    """Apply `tone_map` to sRGB `pixels` (H, W, 3), any size; the result has the same shape."""
    mended = np.empty_like(pixels)
    # In units of levels, so that the inner loop need not scale.
    curves = tone_map.curves * np.float32(255)
    grid = tone_map.grid.copy()
    grid[..., 3] *= 255
    # Writeable, or the compiled signature does not take it; what Pillow decodes is not.
    pixels = np.require(pixels, np.uint8, ["C", "W"])
    rows = (len(pixels), pixels[0].size)
    _apply(pixels.reshape(rows), curves, grid, mended.reshape(rows))
    return mended


@kernel_part()
def _look_up(row: Pixels, channel: int, curve: Float, values: Float) -> None:
    """Look up one channel of a row of pixels (3 W): a sixth faster than all three of each pixel."""
    for x in range(values.size):
        values[x] = curve[row[3 * x + channel]]


@kernel_part(fastmath=True)
def _transform(
    start: Float, end: Float, weight: Float, r: Float, g: Float, b: Float, out: Float
) -> None:
    """One output channel of one cell of one row: slices alone, so that the compiler vectorises it.

    Clamping written as comparisons, not min and max, and slices instead of offsets: 8 times faster.
    """
    n_r, n_g, n_b, n_1 = start[0], start[1], start[2], start[3]
    d_r, d_g, d_b, d_1 = end[0] - n_r, end[1] - n_g, end[2] - n_b, end[3] - n_1
    lowest, highest = np.float32(0.5), np.float32(255.5)  # half a level up: truncation then rounds
    for x in range(out.size):
        w = weight[x]
        value = (n_r + w * d_r) * r[x] + (n_g + w * d_g) * g[x] + (n_b + w * d_b) * b[x]
        value += n_1 + w * d_1 + lowest
        value = value if value > lowest else lowest
        out[x] = value if value < highest else highest


@kernel_part()
def _interleave(r: Float, g: Float, b: Float, row: Pixels) -> None:
    """Round three channels down into one row of pixels (3 W): vectorised, as it is one slice."""
    for x in range(r.size):
        row[3 * x] = np.uint8(np.int32(r[x]))
        row[3 * x + 1] = np.uint8(np.int32(g[x]))
        row[3 * x + 2] = np.uint8(np.int32(b[x]))


@kernel("void(u1[:,::1], f4[:,::1], f4[:,:,:,::1], u1[:,::1])", fastmath=True)
def _apply(pixels: Pixels, curves: Float, grid: Float, mended: Pixels) -> None:
    """Fill the rows of `mended` from those of `pixels`, both (H, 3 W)."""
    height, width = len(pixels), pixels.shape[1] // 3
    rows, columns = grid.shape[:2]
    # Cells lie between two node centres; outside the outer centres the outer node counts alone.
    edges = np.empty(columns + 2, np.int64)
    edges[0], edges[columns + 1] = 0, width
    for column in range(columns):
        edges[column + 1] = min(max(int(np.ceil((column + 0.5) * width / columns - 0.5)), 0), width)
    weight = np.empty(width, np.float32)  # of the node to the right
    for x in range(width):
        position = (x + 0.5) * columns / width + 0.5
        weight[x] = position - int(position)
    r, g, b = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    out = np.empty((3, width), np.float32)
    nodes = np.empty((columns, 3, 4), np.float32)  # the grid at this row
    for y in range(height):
        position = min(max((y + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        upper = int(position)
        lower = min(upper + 1, rows - 1)
        below = np.float32(position - upper)
        for column in range(columns):
            # Number by number: as whole arrays they would be allocated anew for each row.
            for c in range(3):
                for k in range(4):
                    node = grid[upper, column, c, k]
                    nodes[column, c, k] = node + below * (grid[lower, column, c, k] - node)
        _look_up(pixels[y], 0, curves[0], r)
        _look_up(pixels[y], 1, curves[1], g)
        _look_up(pixels[y], 2, curves[2], b)
        for cell in range(columns + 1):
            a, z = edges[cell], edges[cell + 1]
            start, end = nodes[max(cell - 1, 0)], nodes[min(cell, columns - 1)]
            for c in range(3):
                _transform(start[c], end[c], weight[a:z], r[a:z], g[a:z], b[a:z], out[c, a:z])
        _interleave(out[0], out[1], out[2], mended[y])
