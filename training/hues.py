"""Whether things get the colours they have: by the hue of the truth, and where the truth is grey.

Pictures are (H, W, 3) uint8 sRGB; hue is the angle in the plane of U and V.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.chroma import chroma_of
from darkroom.imaging.photo import Pixels

COLOURED, GREY = 0.07, 0.015  # of chroma: from here a place has a colour; up to here it has none
TINTED = 0.05  # a grey place with more has been given a colour that shows
NEAR_DEGREES = 45.0
# Degrees from the axis of U towards V: V is red, U blue, both negative green. Lawns before houses
# have 180 to 210, full green is 241; what lies beyond is turquoise, of water, tiles and paint.
GRASS = (178.0, 245.0)
HUES = {
    "red": (75.0, 115.0),
    "wood, brick, skin": (115.0, 155.0),
    "yellow, olive": (155.0, GRASS[0]),
    "grass, leaves": GRASS,
    "turquoise": (GRASS[1], 275.0),
    "sky, blue": (275.0, 360.0),
    "purple": (0.0, 75.0),
}

Plane = NDArray[np.float32]


def _polar(pixels: Pixels) -> tuple[Plane, Plane]:
    """Chroma and hue in degrees, 0 … 360, of `pixels` made small: single pixels are noise."""
    small = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA)
    u, v = np.moveaxis(chroma_of(np.asarray(small, np.uint8)), 2, 0)
    return np.hypot(u, v), np.degrees(np.arctan2(v, u)) % 360


def hue_table(pairs: Iterable[tuple[Pixels, Pixels]]) -> dict[str, dict[str, float]]:
    """For pairs of coloured and true picture, what share of the places of each hue was met.

    Under each hue: `share` of all coloured places, `met` within 45°, `left_grey` with less than a
    third of its chroma. Under "grey": how many truly grey places were `tinted`, and `purple`.
    """
    polar = [(_polar(coloured), _polar(truth)) for coloured, truth in pairs]
    ours = [np.concatenate([pair[0][k].ravel() for pair in polar]) for k in (0, 1)]
    true = [np.concatenate([pair[1][k].ravel() for pair in polar]) for k in (0, 1)]
    bears = true[0] >= COLOURED
    table = {}
    for name, (low, high) in HUES.items():
        here = bears & (true[1] >= low) & (true[1] < high)
        if not here.any():
            continue
        turn = np.abs((ours[1][here] - true[1][here] + 180) % 360 - 180)
        pale = ours[0][here] < true[0][here] / 3
        table[name] = {
            "share": float(here.sum() / bears.sum()),
            "met": float(((turn < NEAR_DEGREES) & ~pale).mean()),
            "left_grey": float(pale.mean()),
        }
    grey = true[0] <= GREY
    purple = (ours[1] < HUES["purple"][1]) & (ours[0] > TINTED)
    table["grey"] = {
        "share": float(grey.mean()),
        "tinted": float((ours[0][grey] > TINTED).mean()),
        "purple": float(purple[grey].mean()),
    }
    return table
