"""What the straightener finds of tilts that are known, and how near it comes.

Every photo is looked at as it is and turned by up to 10° either way. Most were taken by hand and
are a little tilted themselves: what is found in a photo's turns, less the turn, is its own tilt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from darkroom.imaging.lines import find_lines
from darkroom.imaging.photo import Pixels
from darkroom.inference.straighten import Correction, Straightener, plan_correction
from training.photos import read_pixels
from training.straighten import tilt

TURNS = (0.0, -10.0, -4.0, 4.0, 10.0)
UPRIGHT_DEGREES = 0.5  # own tilt of photos that look upright
UNKNOWN = -1.0  # in place of a figure of nothing
TRUE_DEGREES = 1.5  # 95 % are to be this near
NEAR_ENOUGH = 0.97  # share of the angles of one half, so that the other keeps the 95 %
LEVELS = np.arange(0.6, 0.99, 0.01)  # below 0.6 a good bedroom was once turned by a wrong 3°
KINDS = {
    "rooms": ("bedroom", "bathroom", "kitchen", "places-rooms"),
    "houses from outside": ("frontal", "urban100"),
    "nature, things, animals": ("bsds500", "imagenet-sample", "sunhays80"),
}
*BUILT, NATURE = KINDS  # those that have upright lines, and what has none


@dataclass(frozen=True)
class Seen:
    """What is seen of P photos in each of T turns, (P, T) each; their kinds (P,)."""

    turn: np.ndarray
    found: np.ndarray
    confidence: np.ndarray
    rival: np.ndarray
    kind: np.ndarray

    def half(self, start: int) -> "Seen":
        return Seen(*(part[start::2] for part in vars(self).values()))

    @property
    def built(self) -> np.ndarray:
        """Which of the photos show what is built upright, (P,) bool."""
        return np.isin(self.kind, BUILT)

    def own(self) -> np.ndarray:
        """Each photo's own tilt, (P,): what most of its turns agree on."""
        return np.asarray(np.median(self.found - self.turn, axis=1))


def kind_of(path: Path) -> str:
    names = (path.parent.name, path.stem.partition("_")[2])
    return next((kind for kind, known in KINDS.items() if set(names) & set(known)), "other")


def look(straightener: Straightener, paths: Sequence[Path]) -> Seen:
    rows = []
    for path in paths:
        clean = read_pixels(path)
        for turn in TURNS:
            pixels, _ = tilt(clean, turn, 0.0)
            (found,) = straightener.estimate([find_lines(pixels)])
            rows.append((turn, found.degrees, found.confidence, lean_by_segments(pixels)))
    table = np.asarray(rows).reshape(len(paths), len(TURNS), 4)
    turns, angles, confidences, leans = np.moveaxis(table, 2, 0)
    kinds = np.asarray([kind_of(path) for path in paths])
    return Seen(turns, angles, confidences, leans, kinds)


def lean_by_segments(pixels: Pixels) -> float:
    """The rival: OpenCV's line segments within 20° of upright, the median lean by length."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    segments = cv2.createLineSegmentDetector().detect(grey)[0]
    if segments is None:
        return 0.0
    x, y = np.diff(np.asarray(segments).reshape(-1, 2, 2), axis=1)[:, 0].T
    lean = np.degrees(np.arctan2(x * np.sign(y), np.abs(y)))
    length = np.hypot(x, y) * (np.abs(lean) < 20)
    if not length.any():
        return 0.0
    order = np.argsort(lean)
    total = np.cumsum(length[order])
    return float(lean[order][np.searchsorted(total, total[-1] / 2)])


def fit_confidence(seen: Seen) -> float:
    """The least confidence from which `NEAR_ENOUGH` of the angles are, own tilts taken off."""
    error = np.abs(seen.found - seen.turn - seen.own()[:, None])
    for level in LEVELS:
        sure = seen.confidence >= level
        if sure.sum() > 100 and (error[sure] <= TRUE_DEGREES).mean() >= NEAR_ENOUGH:
            return round(float(level), 2)
    return float(LEVELS[-1])


def errors_of(error: np.ndarray) -> dict[str, float]:
    error = np.abs(error)
    if not error.size:
        return {"median": UNKNOWN, "within_1.5": UNKNOWN, "p95": UNKNOWN, "looks": 0}
    return {
        "median": float(np.median(error)),
        "within_1.5": float((error <= TRUE_DEGREES).mean()),
        "p95": float(np.quantile(error, 0.95)),
        "looks": int(error.size),
    }


def measure(seen: Seen, least: float) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for kind in KINDS:
        chosen = seen.kind == kind
        sure = seen.confidence[chosen] >= least
        turned = np.abs(seen.turn[chosen]) > 0
        own = seen.own()[chosen]
        upright = ((np.abs(own) <= UPRIGHT_DEGREES) & (sure.mean(axis=1) > 0.5))[:, None]
        error = seen.found[chosen] - seen.turn[chosen]
        rival = seen.rival[chosen] - seen.turn[chosen]
        counted = sure & turned & upright
        report[kind] = {
            "photos": int(chosen.sum()),
            "covered": float(sure[turned].mean()) if turned.any() else UNKNOWN,
            "upright": errors_of(error[counted]),
            "all_with_own_tilt": errors_of(error[sure & turned]),
            "all_own_tilt_off": errors_of((error - own[:, None])[sure & turned]),
            "rival_upright": errors_of(rival[counted]),
            "nothing_upright": errors_of(seen.turn[chosen][counted]),
        }
    return report


def left_alone(straightener: Straightener, paths: Sequence[Path], seen: Seen) -> dict[str, Any]:
    """How many photos come back untouched: upright ones turned by little, and what has no lines."""
    steady = (seen.confidence >= straightener.least_confidence).mean(axis=1) > 0.5
    upright = steady & seen.built & (np.abs(seen.own()) <= 0.3)
    report: dict[str, Any] = {"upright_photos": int(upright.sum())}
    for turn in (-0.3, 0.0, 0.3) if upright.any() else ():
        touched = []
        for path, own in zip(np.asarray(paths)[upright], seen.own()[upright], strict=True):
            pixels, _ = tilt(read_pixels(path), turn - own, 0.0)
            touched.append(correction_of(straightener, pixels) is not None)
        report[f"left_alone_at_{turn:+.1f}"] = 1 - float(np.mean(touched))
    nature = np.asarray(paths)[seen.kind == NATURE]
    touched = [correction_of(straightener, read_pixels(path)) is not None for path in nature]
    report["nature_left_alone"] = 1 - float(np.mean(touched))
    return report


def correction_of(straightener: Straightener, pixels: Pixels) -> Correction | None:
    (found,) = straightener.estimate([find_lines(pixels)])
    height, width = pixels.shape[:2]
    return plan_correction(found, width, height, straightener.least_confidence)


def convergence(straightener: Straightener, paths: Sequence[Path]) -> dict[str, float]:
    """How much of a pitch is found: of ±6° put on the same photo, where it is sure of both."""
    shares = []
    for path in paths:
        clean = read_pixels(path)
        looks = [find_lines(tilt(clean, 3.0, pitch)[0]) for pitch in (-6.0, 6.0)]
        up, down = straightener.estimate(looks)
        if min(up.confidence, down.confidence) >= straightener.least_confidence:
            shares.append((down.pitch_degrees - up.pitch_degrees) / 12)
    return {
        "photos": len(paths),
        "sure": len(shares) / len(paths),
        "median_share_found": float(np.median(shares)),
        "p90_share_found": float(np.quantile(shares, 0.9)),
    }
