"""The tilted camera (`rotation`): turned, and cropped so that no black corner tells."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.degradations.light import Picture

STEEPEST_DEGREES = 10.0  # at severity 1

Matrix = NDArray[np.float64]


def rotate(srgb: Picture, degrees: float) -> Picture:
    """Turn counter-clockwise about the centre and crop to the largest upright rectangle inside."""
    if degrees == 0:
        return srgb
    height, width = srgb.shape[:2]
    turn = _turn(width, height, degrees)
    turned = cv2.warpAffine(
        srgb, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    w, h = largest_upright(width, height, degrees)
    y, x = (height - h) // 2, (width - w) // 2
    return np.clip(turned[y : y + h, x : x + w], 0, 1)


def origin_of(width: int, height: int, degrees: float) -> Matrix:
    """Where `rotate` took each pixel of its result from.

    (3, 3) float64, homogeneous pixel (x, y, 1) of the result → pixel of the photo of this size.
    """
    if degrees == 0:
        return np.eye(3)
    w, h = largest_upright(width, height, degrees)
    turn, corner = np.eye(3), np.eye(3)
    turn[:2] = _turn(width, height, degrees)
    corner[:2, 2] = (width - w) // 2, (height - h) // 2
    return np.asarray(np.linalg.inv(turn) @ corner)


def _turn(width: int, height: int, degrees: float) -> Matrix:
    centre = ((width - 1) / 2, (height - 1) / 2)
    return np.asarray(cv2.getRotationMatrix2D(centre, degrees, 1))


def largest_upright(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Size of the largest upright rectangle of the same aspect ratio in the turned frame.

    A corner (±w/2, ±h/2) turned back by the angle must lie inside the frame; both sides bind.
    """
    sine, cosine = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    scale = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    return max(1, int(width * scale) - 1), max(1, int(height * scale) - 1)
