"""What time and old cameras did to the grey of a photo: the variety that a colorizer meets."""

import cv2
import numpy as np
from numpy.typing import NDArray

UNTOUCHED = 0.3  # share of the photos that stay as they are

Luma = NDArray[np.float32]  # (H, W) in [0, 1]


def age(luma: Luma, rng: np.random.Generator) -> Luma:
    """Vary exposure, contrast, sharpness and grain as among scans of old prints."""
    if rng.random() < UNTOUCHED:
        return luma
    aged = np.asarray(luma ** np.exp(rng.uniform(-0.5, 0.5)), np.float32)
    if rng.random() < 0.5:  # orthochromatic film and faded prints bend the ends of the scale
        black, white = rng.uniform(0, 0.2), rng.uniform(0.75, 1.0)
        aged = aged * np.float32(white - black) + np.float32(black)
    if rng.random() < 0.2:
        aged = _vignette(aged, float(rng.uniform(0.1, 0.5)))
    if rng.random() < 0.3:
        aged = np.asarray(cv2.GaussianBlur(aged, (0, 0), rng.uniform(0.4, 1.4)), np.float32)
    if rng.random() < 0.4:
        aged = np.asarray(aged + _grain(aged.shape, rng.uniform(0.01, 0.06), rng), np.float32)
    return np.asarray(np.clip(aged, 0, 1), np.float32)


def _grain(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> Luma:
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.5:  # clumps of silver are larger than a pixel
        noise = np.asarray(2 * cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32)
    return np.asarray(noise * np.float32(strength), np.float32)


def _vignette(luma: Luma, depth: float) -> Luma:
    y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in luma.shape)
    fall = 1 - np.float32(depth / 2) * (y[:, None] ** 2 + x[None] ** 2)
    return np.asarray(luma * fall, np.float32)
