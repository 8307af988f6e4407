"""The strongest simple remedies for light and colour: what a learned toner has to beat."""

from collections.abc import Callable

import cv2
import numpy as np

from darkroom.imaging.photo import Pixels


def percentile_stretch(pixels: Pixels) -> Pixels:
    """Stretch each channel from its 1st to its 99th percentile."""
    low, high = np.percentile(pixels, (1, 99), axis=(0, 1))
    stretched = (pixels - low) / np.maximum(high - low, 1)
    return np.asarray(np.clip(stretched, 0, 1) * 255 + 0.5, np.uint8)


def shades_of_grey(pixels: Pixels) -> Pixels:
    """Divide by the Minkowski mean (norm 6) of each channel, brightness kept (Finlayson 2004)."""
    light = np.maximum(((pixels / 255.0) ** 6).mean(axis=(0, 1)) ** (1 / 6), 1e-3)
    return np.asarray(np.clip(pixels * (light.mean() / light) + 0.5, 0, 255), np.uint8)


def gamma(pixels: Pixels) -> Pixels:
    """Brighten by gamma 1.5."""
    return np.asarray(((np.arange(256) / 255) ** (1 / 1.5) * 255 + 0.5).astype(np.uint8)[pixels])


def clahe(pixels: Pixels) -> Pixels:
    """Equalise the lightness locally: clip limit 2, 8×8 tiles."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


RIVALS: dict[str, Callable[[Pixels], Pixels]] = {
    "percentile stretch": percentile_stretch,
    "shades of grey": shades_of_grey,
    "gamma 1.5": gamma,
    "CLAHE": clahe,
}
