"""The clean photo laid under a straightened result, for a comparison pixel by pixel."""

import cv2
import numpy as np

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.report import Report
from darkroom.imaging.photo import Pixels
from darkroom.imaging.warp import plan_warp
from training.degradations import Degraded
from training.degradations.geometry import Matrix, origin_of


def lay_upright(clean: Pixels, degraded: Degraded, report: Report) -> Pixels:
    """The clean photo in the frame of a result: the same place and scale, but upright as it was.

    Were it tilted as the result is, taking the tilt out would count for nothing, and straightening,
    which has to resample, would only cost. What convergence a result has lost is no part of it
    either: the clean photo had it.
    """
    origin, width, height = follow(clean, degraded, report)
    centre = np.asarray([width - 1, height - 1]) / 2
    beside = centre + np.asarray([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    place, right, below = cv2.perspectiveTransform(beside[None], origin)[0]
    scale = np.sqrt(abs(np.linalg.det([right - place, below - place])))
    lay = np.column_stack([scale * np.eye(2), place - scale * centre])
    flags, border = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    laid = cv2.warpAffine(clean, lay, (width, height), flags=flags, borderMode=border)
    return np.asarray(laid, np.uint8)


def follow(clean: Pixels, degraded: Degraded, report: Report) -> tuple[Matrix, int, int]:
    """Where in the clean photo the pixels of a result come from, and the result's width, height."""
    height, width = degraded.pixels.shape[:2]
    origin = origin_of(clean.shape[1], clean.shape[0], degraded.degrees)
    for step in report.steps:
        if step.enhancer is Enhancer.STRAIGHTEN:
            turned = (float(step.by.notes[f"{n}_degrees"]) for n in ("angle", "convergence"))
            warp = plan_warp(width, height, *turned)
            origin, width, height = origin @ warp.matrix, warp.width, warp.height
    return origin, width, height
