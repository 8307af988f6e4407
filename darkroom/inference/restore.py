"""The restorer: predicts what to add to a photo so that noise, blur and JPEG traces go."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.imaging.tiles import TILE_PX
from darkroom.inference.runtime import Network, load_network
from darkroom.weights.notes import read_notes

MENDED = MENDS[Enhancer.RESTORE]  # order of what the network is told

# Told so much blur and nothing else, the network leaves a grid of single pixels beside edges; up to
# where it is wholly filtered away. Held-out photos of severity 0.75 then gain 0.85 instead of 0.83
# dB, those of 0.6 1.13 instead of 1.22: the price of having no grid.
GRID_FROM, GRID_FULL = 0.35, 0.6
_BINOMIAL = np.asarray([0.25, 0.5, 0.25], np.float32)  # zero for what alternates

Correction = NDArray[np.float32]  # (…, H, W, 3), 8-bit levels to add


def told_vector(severities: Mapping[Defect, float], scale: float = 1.0) -> NDArray[np.float32]:
    """The severities to mend as the network is told them, of a photo shrunk to `scale`.

    (3,) float32 in the order of `MENDED`. Shrinking averages noise and the encoder's traces away
    (less than were they white: neighbours are alike) and makes the blur's radius smaller, which is
    half a pixel at severity 0 and 5 at 1.
    """
    told = {defect: severity * scale**0.5 for defect, severity in severities.items()}
    if (blur := severities.get(Defect.BLUR)) is not None:
        told[Defect.BLUR] = max(0.0, blur * scale - (1 - scale) / 9)
    vector = [min(1.0, max(0.0, told.get(defect, 0.0))) for defect in MENDED]
    return np.asarray(vector, np.float32)


class Restorer:
    """A trained network, loaded for each size of tiles as it is asked for."""

    def __init__(self, load_for: Callable[[int], Network]) -> None:
        self._load_for = cache(load_for)
        self._load_for(TILE_PX)

    def correct(self, tiles: NDArray[np.uint8], told: NDArray[np.float32]) -> Correction:
        """Predict the corrections of square tiles (N, side, side, 3) told (N, 3) severities."""
        (correction,) = self._load_for(tiles.shape[1])(tiles, told)
        return _without_grid(np.asarray(correction, np.float32), told)


def _without_grid(correction: Correction, told: NDArray[np.float32]) -> Correction:
    """Take what alternates from pixel to pixel out of the corrections of mere, strong blur."""
    blur = told[:, MENDED.index(Defect.BLUR)]
    share = np.clip((blur - GRID_FROM) / (GRID_FULL - GRID_FROM), 0, 1)
    share[told.sum(axis=1) > blur] = 0  # noise and JPEG traces are single pixels
    for tile in np.flatnonzero(share):
        smooth = cv2.sepFilter2D(correction[tile], -1, _BINOMIAL, _BINOMIAL)
        correction[tile] += share[tile] * (smooth - correction[tile])
    return correction


def load_restorer(weights: Path, device: str) -> Restorer:
    """Read the trained restorer, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    read_notes(weights, "RestoreNetwork")

    def load_for(tile_px: int) -> Network:
        return load_network(weights, device, [(1, tile_px, tile_px, 3), (1, len(MENDED))])

    return Restorer(load_for)
