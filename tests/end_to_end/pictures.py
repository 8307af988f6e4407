"""What end-to-end tests send and how they judge what comes back."""

import io

import numpy as np
from PIL import Image

from tests.photos import Picture

PATIENT_MS = 30_000  # a budget for tests that are not about time, on machines that are busy


def read(photo: bytes) -> Picture:
    """A photo as (H, W, 3) uint8."""
    with Image.open(io.BytesIO(photo)) as image:
        return np.asarray(image.convert("RGB"))


def darken(picture: Picture, stops: float) -> Picture:
    """The same scene with less light: divided in linear light, gamma 2.2."""
    light = (picture / 255.0) ** 2.2 / 2**stops
    return np.rint(255 * light ** (1 / 2.2)).astype(np.uint8)


def add_noise(picture: Picture, levels: float) -> Picture:
    """The same with Gaussian noise of that standard deviation, the same noise each time."""
    noise = np.random.default_rng(1).normal(0, levels, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def luma(picture: Picture) -> float:
    """Mean luma (Rec. 601), 0…255."""
    return float((picture @ np.array((0.299, 0.587, 0.114))).mean())


def clipped(picture: Picture) -> float:
    """Share of the pixels that are white in every channel: highlights without any drawing."""
    return float((picture >= 254).all(axis=2).mean())


def cast(picture: Picture) -> float:
    """Distance of the mean colour from grey, in levels."""
    means = picture.reshape(-1, 3).mean(axis=0)
    return float(means.max() - means.min())
