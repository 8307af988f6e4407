"""The wrong white balance (`poor_white_balance`): a cast along the Planckian locus, with tint."""

import numpy as np

from training.degradations.light import (
    LUMA,
    Picture,
    beyond_white,
    brightness_around,
    to_linear,
    to_srgb,
)

STRONGEST = 1.1  # length of (Δ log R/G, Δ log B/G) in linear light at severity 1

# CIE xy → linear sRGB (IEC 61966-2-1).
_XYZ_TO_RGB = np.asarray(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)


def planckian(kelvin: float) -> np.ndarray:
    """Log chroma (log R/G, log B/G) of a black body, 2000 to 25000 K, relative to 6500 K.

    Cubic approximation of the locus: Kim et al. 2002, US patent 7024034.
    """
    return np.asarray(_log_chroma(kelvin) - _log_chroma(6500.0))


def _log_chroma(kelvin: float) -> np.ndarray:
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    rgb = np.maximum(_XYZ_TO_RGB @ np.asarray([x / y, 1.0, (1 - x - y) / y]), 1e-3)
    return np.asarray(np.log(rgb[[0, 2]] / rgb[1]))


_WARM = np.stack([planckian(kelvin) for kelvin in np.geomspace(6500, 2000, 200)])
_COOL = np.stack([planckian(kelvin) for kelvin in np.geomspace(6500, 25000, 200)])


def draw_light(severity: float, rng: np.random.Generator) -> np.ndarray:
    """Log chroma (log R/G, log B/G) of a light of the wrong colour; white (0, 0) at severity 0."""
    length = STRONGEST * severity
    tint = rng.normal(0, 0.12) * length * np.asarray([1.0, 1.0])  # off the locus: green to magenta
    locus = _WARM if rng.random() < 0.6 else _COOL
    reach = np.hypot(*locus.T)
    along = locus[int(np.argmin(np.abs(reach - length)))]
    # The cool end of the locus is near.
    along = along * (length / max(float(np.hypot(*along)), 1e-6))
    return np.asarray(along + tint)


def poor_white_balance(
    srgb: Picture, severity: float, rng: np.random.Generator
) -> tuple[Picture, float]:
    """Tint by gains in linear light, luminance kept: warm or cool, a little green or magenta.

    Lamps beside a window are two lights: often the bright part of a room is tinted less than the
    rest, and what was brighter than white stays white. So the severity that shows, the second
    result, is the one asked for times the share of the tint that reached the frame.
    """
    if severity <= 0:
        return srgb, 0.0
    red, blue = draw_light(severity, rng)
    linear = to_linear(srgb)
    share = np.ones(srgb.shape[:2], np.float32)
    if rng.random() < 0.4:
        share -= np.float32(rng.uniform(0.3, 0.9)) * brightness_around(linear)
    gains = np.exp(share[..., None] * np.asarray([red, 0, blue], np.float32))
    kept = float((linear @ LUMA).mean()) / max(float(((linear * gains) @ LUMA).mean()), 1e-6)
    if rng.random() < 0.5:
        linear = beyond_white(linear, rng, stops=2)
    tinted = linear * gains * np.float32(kept)
    stays_white = tinted.min(axis=2) >= 1
    return to_srgb(tinted), severity * float(np.where(stays_white, 0, share).mean())
