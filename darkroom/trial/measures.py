"""How far a photo or a diagnosis is from what it should be."""

import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.imaging.photo import Pixels
from darkroom.trial.samples import MADE, linear


def light_db(pixels: Pixels) -> float:
    """A photo's mean light in dB of white."""
    return 10 * float(np.log10(max(linear(pixels).mean(), 1e-6)))


def nearness_db(pixels: Pixels, clean: Pixels) -> float:
    """PSNR to the clean photo; what was cropped is compared with its middle.

    By itself: `imaging.metrics` needs scikit-image, which no model server has.
    """
    height, width = (min(sides) for sides in zip(pixels.shape[:2], clean.shape[:2], strict=True))
    difference = _middle(pixels, height, width).astype(np.float32) - _middle(clean, height, width)
    return 10 * float(np.log10(255**2 / max(np.mean(difference**2), 1e-3)))


def _middle(pixels: Pixels, height: int, width: int) -> Pixels:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def misjudged(diagnosis: Diagnosis, other: Diagnosis, made: Defect | None) -> float:
    """The largest severity by which a diagnosis misses what was made, or sees more of what was not.

    Of the defects that a trial makes; of the others nobody knows how much a drawn photo has.
    """
    more = {d: diagnosis.severities[d] - other.severities[d] for d in MADE}
    return max(-difference if d == made else difference for d, difference in more.items())
