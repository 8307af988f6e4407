"""The lens and the hand (`blur`): defocus and motion."""

import cv2
import numpy as np

from training.degradations.light import Picture, to_linear, to_srgb

WIDEST_PX = 5.0  # radius of the defocus disc at severity 1, in pixels of the photo


def blur(
    srgb: Picture, severity: float, rng: np.random.Generator, *, shaken: float = 0.5
) -> Picture:
    """Convolve in linear light with a disc or a slightly curved stroke of the same spread.

    `shaken` is how likely the stroke is.
    """
    if severity <= 0:
        return srgb
    radius = 0.5 + (WIDEST_PX - 0.5) * severity
    kernel = stroke(3 * radius, rng) if rng.random() >= 1 - shaken else disc(radius)
    blurred = cv2.filter2D(to_linear(srgb), -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return to_srgb(np.asarray(blurred, np.float32))


def disc(radius: float) -> np.ndarray:
    """Uniform disc with an antialiased rim, sum 1."""
    reach = int(np.ceil(radius + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def stroke(length: float, rng: np.random.Generator) -> np.ndarray:
    """Path of a shaking hand: a stroke of `length` pixels that bends a little, sum 1."""
    reach = int(np.ceil(length / 2)) + 2
    side = 2 * reach + 1
    heading, bend = rng.uniform(0, np.pi), rng.normal(0, 0.5)
    along = np.linspace(-0.5, 0.5, max(8, int(8 * length)))
    angles = heading + bend * along
    y = np.cumsum(np.sin(angles)) * length / len(along)
    x = np.cumsum(np.cos(angles)) * length / len(along)
    # Each point of the path is shared between its four pixels; four times finer, then averaged.
    path = np.zeros((4 * side, 4 * side), np.float32)
    rows = np.clip(4 * (y - y.mean() + reach + 0.5), 0, 4 * side - 1).astype(int)
    columns = np.clip(4 * (x - x.mean() + reach + 0.5), 0, 4 * side - 1).astype(int)
    np.add.at(path, (rows, columns), 1)
    kernel = cv2.resize(
        cv2.GaussianBlur(path, (0, 0), 1.5), (side, side), interpolation=cv2.INTER_AREA
    )
    return np.asarray(kernel / kernel.sum(), np.float32)
