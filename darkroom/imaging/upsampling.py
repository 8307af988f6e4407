"""What was restored on a shrunken photo, brought to the full size along the photo's own edges.

Enlarging the restored photo would lose its detail, enlarging the correction would leave the noise
that shrinking has averaged away. So the restored pixels are described by the photo's: in each small
window as a straight line of its levels, out = a·in + b, as in the fast guided filter (He and Sun
2015, arXiv:1505.00996). Across an edge a is 1 and the edge stays; on a plain wall a is 0 and b the
wall. The slopes and offsets are enlarged and applied to the photo at full size.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.kernels import kernel
from darkroom.imaging.photo import Pixels

WINDOW_PX = 6  # at the working size: a line is fitted to each
FLATTEST = 1.0  # levels²: variance below which there is nothing to describe, and a is 1
STEEPEST = 2.5
SPARSE = 200  # windows: fewer of one brightness tell nothing

Float = NDArray[np.float32]


class Lines(NamedTuple):
    """Slopes and offsets (h, w, 3): at half the working size, one for each channel."""

    slopes: Float
    offsets: Float


def describe(full: Pixels, small: Pixels, restored: Pixels, noisy: bool) -> Lines:
    """Fit the lines that take `small` to `restored`, both (h, w, 3), to be applied to `full`.

    Between its neighbours at the working size the full photo has detail that `small` cannot show:
    texture, which must survive, and, where it is `noisy`, noise, which must not. How much a flat
    part has is noise; what is above that is texture (Wiener's rule).
    """
    before, after = small.astype(np.float32), restored.astype(np.float32)
    mean_before, mean_after = _window(before), _window(after)
    covariance = _window(before * after) - mean_before * mean_after
    variance = _window(before * before) - mean_before * mean_before
    hidden = _hidden_variance(full, *mean_before.shape[:2])
    texture = hidden
    if noisy:
        # Noise changes with the light: the quiet third of each level of brightness tells how.
        texture = np.maximum(hidden - 1.2 * _quiet_variance(hidden, mean_before), 0)
    known = np.maximum(covariance, 0) + texture + np.float32(FLATTEST)
    seen = np.maximum(variance, 0) + hidden + np.float32(FLATTEST)
    slopes = np.minimum(known / seen, np.float32(STEEPEST))
    return Lines(_smooth(slopes), _smooth(mean_after - slopes * mean_before))


def apply_lines(full: Pixels, lines: Lines, strength: float) -> Pixels:
    """Apply lines, enlarged bilinearly, to the photo (H, W, 3), weakened by `strength`."""
    width, w = full.shape[1], lines.slopes.shape[1]
    position = np.clip((np.arange(width) + 0.5) * w / width - 0.5, 0, w - 1)
    left = np.minimum(position.astype(np.int32), max(0, w - 2))
    mended = np.empty_like(full)
    _apply(
        np.require(full, np.uint8, ["C", "W"]),
        np.ascontiguousarray(1 + np.float32(strength) * (lines.slopes - 1)),
        np.ascontiguousarray(np.float32(strength) * lines.offsets),
        left,
        (position - left).astype(np.float32),
        mended,
    )
    return mended


def _window(values: Float) -> Float:
    """Means over windows, at half the size of `values`."""
    height, width = (max(1, side // 2) for side in values.shape[:2])
    return _smooth(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))


def _smooth(values: cv2.typing.MatLike) -> Float:
    return np.asarray(cv2.blur(values, (WINDOW_PX // 2, WINDOW_PX // 2)), np.float32)


def _hidden_variance(full: Pixels, height: int, width: int) -> Float:
    """Variance between neighbouring pixels, averaged to (height, width, 3): a sample is enough."""
    if min(full.shape[:2]) < 2:
        return np.zeros((height, width, 3), np.float32)
    step = max(1, full.shape[0] // height)
    here = full[:-1:step, :-1:step].astype(np.int16)
    across, down = full[:-1:step, 1::step] - here, full[1::step, :-1:step] - here
    squares = across.astype(np.float32) ** 2 + down.astype(np.float32) ** 2
    return _smooth(cv2.resize(squares / 4, (width, height), interpolation=cv2.INTER_LINEAR))


def _quiet_variance(variance: Float, level: Float) -> Float:
    """The variance of the quiet parts as a function of the level, for every pixel.

    Noise differs between dark and bright by a few times at most; where one brightness is all
    texture (a lawn), its quietest part would pass for noise, so the rest of the photo limits it.
    """
    sample = (slice(None, None, 4), slice(None, None, 4))
    seen, bins = variance[sample].ravel(), (level[sample].ravel() / 32).astype(int)
    groups = [seen[bins == b] for b in range(8)]
    quiet = [np.percentile(g if g.size > SPARSE else seen, 30) for g in groups]
    limited = np.minimum(quiet, 3 * np.percentile(seen, 20))
    by_level = np.interp(np.arange(256), np.arange(8) * 32 + 16, limited).astype(np.float32)
    return by_level[level.astype(np.uint8)]


@kernel("void(u1[:,:,::1], f4[:,:,::1], f4[:,:,::1], i4[::1], f4[::1], u1[:,:,::1])", fastmath=True)
def _apply(
    full: Pixels,
    slopes: Float,
    offsets: Float,
    left: NDArray[np.int32],
    share: Float,
    mended: Pixels,
) -> None:
    lowest, highest = np.float32(0.5), np.float32(255.5)  # half a level up: truncation then rounds
    height, width = full.shape[:2]
    h, w = slopes.shape[:2]
    slope, offset = np.empty((w + 1, 3), np.float32), np.empty((w + 1, 3), np.float32)
    for y in range(height):
        position = min(max((y + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        upper = int(position)
        lower = min(upper + 1, h - 1)
        below = np.float32(position - upper)
        for x in range(w + 1):
            node = min(x, w - 1)
            for c in range(3):
                slope[x, c] = slopes[upper, node, c] + below * (
                    slopes[lower, node, c] - slopes[upper, node, c]
                )
                offset[x, c] = offsets[upper, node, c] + below * (
                    offsets[lower, node, c] - offsets[upper, node, c]
                )
        for x in range(width):
            k, s = left[x], share[x]
            for c in range(3):
                a = slope[k, c] + s * (slope[k + 1, c] - slope[k, c])
                b = offset[k, c] + s * (offset[k + 1, c] - offset[k, c])
                value = a * np.float32(full[y, x, c]) + b + lowest
                value = value if value > lowest else lowest
                mended[y, x, c] = np.uint8(value if value < highest else highest)
