"""Degraded photos as the service would receive them, and the variety that is no defect."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.imaging.jpeg import read_coding
from darkroom.imaging.photo import Format, Photo, Pixels
from training.degradations import Degraded, compression
from training.degradations.recipe import to_pixels
from training.photos import recolour


def as_photo(degraded: Degraded, rng: np.random.Generator) -> Photo:
    """Wrap degraded pixels as the service would receive them: half of them as a fine JPEG."""
    payload = degraded.payload
    pixels = degraded.pixels
    if payload is None and rng.random() < 0.5:
        payload = compression.compress(pixels, int(rng.integers(88, 98)))
        pixels = compression.expand(payload)
    if payload is None:
        return Photo(pixels, Format.PNG)
    return Photo(pixels, Format.JPEG, quantisation=read_coding(payload).quantisation)


def reframe(clean: Pixels, rng: np.random.Generator, smallest: float) -> Pixels:
    """Crop to at least `smallest` of each side, recolour, and mirror every other photo."""
    height, width = clean.shape[:2]
    share = rng.uniform(smallest, 1.0, 2)
    h, w = int(height * share[0]), int(width * share[1])
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    framed = recolour(clean[y : y + h, x : x + w], rng)
    return np.ascontiguousarray(framed[:, ::-1] if rng.random() < 0.5 else framed)


def jitter(clean: Pixels, rng: np.random.Generator) -> Pixels:
    """Vary what is no defect: framing, mirror image, a camera's mild softness and grain."""
    picture = reframe(clean, rng, 0.75)
    h, w = picture.shape[:2]
    if rng.random() < 0.5:  # a large photo's pixels are softer than a small one's
        scale = rng.uniform(1.0, 1.5)
        size = (int(w * scale), int(h * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.4:
        grain = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(
            rng.uniform(0, 1.5)
        )
        picture = to_pixels(((picture + grain) / 255).astype(np.float32))
    return np.ascontiguousarray(picture)


def shallow_focus(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Blur all but one oval, as a lens does to what is behind a face: no defect, since it is meant.

    The oval is a quarter to three quarters of each side and fades over a tenth of them.
    """
    height, width = pixels.shape[:2]
    y, x = (np.linspace(0, 1, side, dtype=np.float32) for side in (height, width))
    (cy, cx), (ry, rx) = rng.uniform(0.3, 0.7, 2), rng.uniform(0.12, 0.38, 2)
    distance = np.hypot((y[:, None] - cy) / ry, (x[None] - cx) / rx)
    sharp = np.clip((1 - distance) / 0.2 + 0.5, 0, 1)[..., None]
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(1.5, 6)))
    return np.asarray(sharp * pixels + (1 - sharp) * soft + 0.5, np.uint8)


def severity_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy with the severity as a soft target, and twice its absolute error."""
    error = (torch.sigmoid(logits) - truth).abs().mean()
    return F.binary_cross_entropy_with_logits(logits, truth) + 2 * error
