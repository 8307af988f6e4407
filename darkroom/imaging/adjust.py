"""The manual sliders, pixel by pixel: one formula each, in this order.

For a channel v of a pixel, sRGB-coded in [0, 1]:

    1. exposure e, warmth w, tint t: in linear light L = linear(v), with the channel's gain
           g = 2^e · balance(w, t),   balance = (2^(w/2), 2^(-t/2), 2^(-w/2)) / its luma
       L' = g·L / (1 + max(g − 1, 0)·L): black stays, and where a gain brightens, white stays too
    2. contrast c: s = coded(L'), s' = s + c·(3s² − 2s³ − s): at 1 a smooth step, at −1 its contrary
    3. saturation a: s'' = y + (1 + a)·(s' − y), y the pixel's luma

Luma is Rec. 709's, (0.2126, 0.7152, 0.0722); linear and coded are those of IEC 61966-2-1 (sRGB). 1
and 2 look at one channel alone, so they are a curve; 3 is a matrix: together a tone map. Before them
the photo is straightened. The page's preview computes the same formulas in a shader; both are held
to the colours in `tests/imaging/adjusted_colours.json`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.adjust import Adjustments
from darkroom.imaging.photo import Pixels
from darkroom.imaging.tone_map import ToneMap, apply_tone_map

LUMA = np.array((0.2126, 0.7152, 0.0722))

Float = NDArray[np.float64]


def adjust(pixels: Pixels, adjustments: Adjustments) -> Pixels:
    """Turn the sliders on (H, W, 3) sRGB pixels; the result is smaller where it was straightened."""
    if adjustments.straighten:
        pixels = straighten(pixels, adjustments.straighten)
    if adjustments.model_copy(update={"straighten": 0.0}) == Adjustments():
        return pixels
    return apply_tone_map(pixels, tone_map_of(adjustments))


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


def straighten(pixels: Pixels, degrees: float) -> Pixels:
    """Turn the frame clockwise about its centre and keep the largest upright rectangle in it."""
    height, width = pixels.shape[:2]
    kept_width, kept_height = largest_upright(width, height, degrees)
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    turn[:, 2] += (kept_width - width) / 2, (kept_height - height) / 2
    # Replicated, for the border's last half pixel alone.
    turned = cv2.warpAffine(
        pixels,
        turn,
        (kept_width, kept_height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.uint8)


def largest_upright(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Sides in pixels of the largest upright rectangle inside a turned frame.

    Two of its corners lie in the middle of the frame's long sides where the frame is that narrow,
    else all four touch a side each.
    """
    sine, cosine = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sine * cosine * long:
        along, across = short / 2 / max(sine, 1e-9), short / 2 / cosine
        kept = (along, across) if width >= height else (across, along)
    else:
        twice = cosine**2 - sine**2
        kept = (
            (width * cosine - height * sine) / twice,
            (height * cosine - width * sine) / twice,
        )
    return max(1, int(kept[0])), max(1, int(kept[1]))
