"""The manual sliders, pixel by pixel: one formula each, in this order.

For a channel v of a pixel, sRGB-coded in [0, 1]:

    1. exposure e, warmth w, tint t: in linear light L = linear(v), with the channel's gain
           g = 2^e · balance(w, t),   balance = (2^(w/2), 2^(-t/2), 2^(-w/2)) / its luma
       L' = g·L / (1 + max(g − 1, 0)·L): black stays, and where a gain brightens, white stays too
    2. contrast c: s = coded(L'), s' = s + c·(3s² − 2s³ − s): at 1 a smooth step, at −1 its contrary
    3. saturation a: s'' = y + (1 + a)·(s' − y), y the pixel's luma

Luma is Rec. 709's, (0.2126, 0.7152, 0.0722); linear and coded are those of IEC 61966-2-1 (sRGB).
1 and 2 look at one channel alone, so they are a curve; 3 is a matrix: together a tone map. Before
them the photo is straightened: turned clockwise about its centre, then cropped to the largest
upright rectangle of its own shape. The page's preview computes the same formulas in a shader; both
are held to the colours in `tests/imaging/adjusted_colours.json`.
"""

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.adjust import Adjustments
from darkroom.imaging.photo import Pixels
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
from darkroom.imaging.warp import apply_warp, plan_warp

LUMA = np.array((0.2126, 0.7152, 0.0722))

Float = NDArray[np.float64]


def adjust(pixels: Pixels, adjustments: Adjustments) -> Pixels:
    """Turn the sliders on (H, W, 3) sRGB pixels; straightened, the photo gets smaller."""
    if adjustments.straighten:
        pixels = turn(pixels, adjustments.straighten)
    if adjustments.model_copy(update={"straighten": 0.0}) == Adjustments():
        return pixels
    return apply_tone_map(pixels, tone_map_of(adjustments))


def turn(plane: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) or one plane (H, W), turned clockwise and cropped."""
    height, width = plane.shape[:2]
    return apply_warp(plane, plan_warp(width, height, degrees, 0.0))


def tone_map_of(adjustments: Adjustments) -> ToneMap:
    """Exposure, warmth, tint and contrast as curves, saturation as a grid of one node."""
    levels = _linear(np.arange(256) / 255)
    gains = 2**adjustments.exposure * _balance(adjustments.warmth, adjustments.tint)[:, None]
    s = _coded(gains * levels / (1 + np.maximum(gains - 1, 0) * levels))
    curves = s + adjustments.contrast * (3 * s**2 - 2 * s**3 - s)
    colour = 1 + adjustments.saturation
    matrix = colour * np.eye(3, 4)
    matrix[:, :3] += (1 - colour) * LUMA
    return ToneMap(curves.astype(np.float32), matrix[None, None].astype(np.float32))


def _balance(warmth: float, tint: float) -> Float:
    """The gains of R, G and B that shift a grey's colour and leave its luma."""
    gains = 2 ** (np.array((warmth, -tint, -warmth)) / 2)
    return np.asarray(gains / (LUMA @ gains))


def _linear(coded: Float) -> Float:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _coded(linear: Float) -> Float:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
