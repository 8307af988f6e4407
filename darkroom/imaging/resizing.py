"""Pictures made smaller, by the average over areas."""

import cv2
import numpy as np

from darkroom.imaging.photo import Pixels


def shrink(pixels: Pixels, height: int, width: int) -> Pixels:
    """Area-average (H, W, 3) to (height, width, 3), no larger than it was.

    By exact halves first: OpenCV has a vector path for that one ratio.
    """
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        h, w = (side // 2 for side in pixels.shape[:2])
        pixels = _average(pixels[: 2 * h, : 2 * w], h, w)
    return pixels if pixels.shape[:2] == (height, width) else _average(pixels, height, width)


def _average(pixels: Pixels, height: int, width: int) -> Pixels:
    shrunk = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)
