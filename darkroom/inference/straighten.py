"""The straightener: which of the angles that a photo's lines vote for is its tilt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.lines import Lines
from darkroom.imaging.upright import ANGLES, count_votes, fit_upright
from darkroom.imaging.warp import Warp, plan_warp
from darkroom.inference.runtime import Network, load_network
from darkroom.weights.notes import read_notes

PEAK_DEGREES = 1.0  # what lies this near counts as the same angle
SURE_ROLL_DEGREES = 0.15  # standard errors up to which upright edges are taken at their word
SURE_PITCH_DEGREES = 1.0
LEAST_DEGREES = 0.6  # a smaller tilt is not seen, but its mending costs a crop and a resampling
LEAST_PITCH_DEGREES = 1.5  # lines at the side of the frame then lean by one degree
MOST_PITCH_DEGREES = 14.0  # beyond, somebody looks up or down on purpose
MOST_CUT = 0.4  # of the frame: 10° in 16:9


@dataclass(frozen=True)
class Tilt:
    """A camera's tilt as its photo shows it.

    degrees: by how much the photo seems turned counter-clockwise.
    pitch_degrees: by how much the camera looks down (negative: up), which makes upright lines
        converge downward (upward); 0 where they do not tell.
    confidence: probability, 0…1, that `degrees` is right within a degree.
    """

    degrees: float
    pitch_degrees: float
    confidence: float


@dataclass(frozen=True)
class Correction:
    """What is taken out of a photo, in the terms of `Tilt`, and the warp that does so."""

    degrees: float
    pitch_degrees: float
    warp: Warp


def plan_correction(
    tilt: Tilt, width: int, height: int, least_confidence: float, strength: float = 1.0
) -> Correction | None:
    """How to set a photo upright, or None where it is better left alone.

    `strength` scales the angles. Convergence goes with a tilt only: alone it is often meant, and
    one upright photo in ten would be warped for it. Should the crop cost too much of the frame, the
    convergence stays first, then part of the tilt.
    """
    if tilt.confidence < least_confidence or not strength:
        return None
    if abs(tilt.degrees) < LEAST_DEGREES:
        return None
    degrees = strength * tilt.degrees
    seen = abs(tilt.pitch_degrees) >= LEAST_PITCH_DEGREES
    pitch = strength * tilt.pitch_degrees if seen else 0.0
    for share, pitched in ((1, 1), (1, 0.5), (1, 0), (0.75, 0), (0.5, 0), (0.25, 0)):
        warp = plan_warp(width, height, share * degrees, pitched * pitch)
        if 0 < warp.cut_share <= MOST_CUT:
            return Correction(share * degrees, pitched * pitch, warp)
    return None


class Straightener:
    """A trained network with the confidence that was fitted to it."""

    def __init__(self, network: Network, least_confidence: float) -> None:
        self.network = network
        self.least_confidence = least_confidence

    def estimate(self, lines: list[Lines]) -> list[Tilt]:
        """The tilt that each photo's lines show."""
        (logits,) = self.network(np.stack([count_votes(each) for each in lines]))
        return [_read(row, each) for row, each in zip(logits, lines, strict=True)]


def read_angle(logits: NDArray[np.float32]) -> tuple[float, float]:
    """The angle where most of the probability gathers, degrees, and how much of it does."""
    share = np.exp(logits.astype(np.float64) - logits.max())
    share /= share.sum()
    peak = ANGLES[int(np.argmax(np.convolve(share, np.ones(3), "same")))]
    near = np.abs(ANGLES - peak) <= PEAK_DEGREES
    confidence = float(share[near].sum())
    return float((share * ANGLES)[near].sum() / confidence), confidence


def _read(logits: NDArray[np.float32], lines: Lines) -> Tilt:
    """The angle of most probability; where upright edges say so more exactly, what they say."""
    degrees, confidence = read_angle(logits)
    fit = fit_upright(lines.upright, degrees)
    if fit.roll_error > SURE_ROLL_DEGREES or abs(fit.roll - degrees) > PEAK_DEGREES:
        return Tilt(degrees, 0.0, confidence)
    known = fit.pitch_error <= SURE_PITCH_DEGREES and abs(fit.pitch) <= MOST_PITCH_DEGREES
    return Tilt(fit.roll, fit.pitch if known else 0.0, confidence)


def load_straightener(weights: Path, device: str) -> Straightener:
    """Read the trained straightener, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    notes = read_notes(weights, "TiltNetwork")
    return Straightener(load_network(weights, device), float(notes["least_confidence"]))
