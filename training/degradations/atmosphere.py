"""The air in between (`hazy`), and what fades everywhere alike (`low_contrast`)."""

import cv2
import numpy as np

from training.degradations.light import LUMA, Picture, smooth_field

DENSEST = 2.6  # optical depth at the far end at severity 1


def hazy(srgb: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Koschmieder's law, I·t + A·(1 − t) with t = exp(−β·depth), as He et al. 2011 state it.

    No depth is known, so one is made up from what usually tells it: up is far, bright and pale is
    far (the dark channel), and a smooth random part. The foreground may be all clear or not.
    """
    if severity <= 0:
        return srgb
    height, width = srgb.shape[:2]
    upward = np.linspace(1, 0, height, dtype=np.float32)[:, None] ** rng.uniform(0.5, 3)
    pale = cv2.GaussianBlur(srgb.min(axis=2), (0, 0), 0.05 * max(height, width))
    shares = rng.dirichlet((3, 1.5, 1.5)).astype(np.float32)
    depth = shares[0] * upward + shares[1] * pale + shares[2] * smooth_field(rng, height, width)
    near = rng.uniform(0.0, 0.6)
    depth = near + (1 - near) * depth / max(float(depth.max()), 1e-6)
    transmission = np.exp(-DENSEST * severity * depth)[..., None].astype(np.float32)
    light = rng.uniform(0.6, 0.97) * (1 + rng.normal(0, 0.015, 3))
    air = np.clip(light, 0, 1).astype(np.float32)
    return np.asarray(srgb * transmission + air * (1 - transmission), np.float32)


def low_contrast(srgb: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Flatten about one grey everywhere, to contrast 0.15 ** severity, as in a faded print.

    The pivot is near the picture's own mean, so the brightness stays about the same.
    """
    if severity <= 0:
        return srgb
    contrast = np.float32(0.15**severity)
    mean = float((srgb @ LUMA).mean())
    pivot = np.float32(np.clip(mean + rng.normal(0, 0.08), 0.25, 0.75))
    return pivot + contrast * (srgb - pivot)
