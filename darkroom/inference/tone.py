"""The toner: predicts, from a thumbnail and the defects to mend, the tone map that mends them."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.imaging.photo import Pixels
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
from darkroom.imaging.views import statistics_of
from darkroom.inference.runtime import Network, load_network
from darkroom.weights.notes import read_notes

FLAT_ALONE = frozenset({Defect.LOW_CONTRAST})
DARK_ALONE = frozenset({Defect.LOW_LIGHT})
DARK_UNDER_HAZE = 0.4  # doublings that levels lack without their haze, to be given light fully
FLATTEST = 16  # levels between the percentiles: with less there is nothing to stretch


def asked_vector(defects: Collection[Defect]) -> np.ndarray:
    """Ones for the defects to mend, in the network's order: (5,) float32."""
    return np.asarray([defect in defects for defect in MENDS[Enhancer.TONE]], np.float32)


def _with_stretch(tone_map: ToneMap, thumbnail: Pixels) -> ToneMap:
    """Average what the network predicts for flat contrast with a stretch of the percentiles.

    They err independently: +16.0 dB together, +12.4 and +14.3 alone. The stretch is a straight
    line in a channel's level; fitted as one in the channel's curve, it joins the grid.
    """
    pixels = thumbnail[::2, ::2].reshape(-1, 3)
    low, high = np.percentile(pixels, (0.25, 99.75), axis=0)
    if (high - low).min() < FLATTEST:
        return tone_map
    grid = np.asarray(tone_map.grid / 2, np.float32)
    for channel in range(3):
        curved = tone_map.curves[channel][pixels[:, channel]]
        stretched = (pixels[:, channel] - low[channel]) / (high - low)[channel]
        slope = float(np.cov(curved, stretched)[0, 1] / curved.var(ddof=1))
        grid[..., channel, channel] += slope / 2
        grid[..., channel, 3] += (stretched.mean() - slope * curved.mean()) / 2
    return ToneMap(tone_map.curves, grid)


def _with_neutral_greys(tone_map: ToneMap) -> ToneMap:
    """Bend the curves so that grey stays grey under the mean of the grid, as light as its green.

    More light has no colour. What the network gives it, a hundredth or two, adds nothing to PSNR
    and shows where the curves are flat: a pale blue sky became pink. Green leads, since the mean of
    all three clips highlights that it keeps.
    """
    mean = tone_map.grid.mean(axis=(0, 1))
    mixing, added = mean[:, :3], mean[:, 3:]
    green = mixing[1] @ tone_map.curves + added[1]
    return ToneMap(np.linalg.solve(mixing, green - added), tone_map.grid)


def _doublings(before: Pixels, after: Pixels) -> float:
    """How often levels have doubled, the mean of all: darks count as much as lights."""
    return float(np.log2((after + 1.0) / (before + 1.0)).mean())


class Toner:
    def __init__(self, network: Network) -> None:
        self.network = network

    def plan(self, asked: list[tuple[Pixels, frozenset[Defect]]]) -> list[ToneMap]:
        """Predict a tone map for each thumbnail (192, 192, 3) and the defects to mend in it."""
        maps = self._predict(asked)
        return [
            self._adapted(tone_map, thumbnail, defects)
            for tone_map, (thumbnail, defects) in zip(maps, asked, strict=True)
        ]

    def _predict(self, asked: list[tuple[Pixels, frozenset[Defect]]]) -> list[ToneMap]:
        curves, grids = self.network(
            np.stack([thumbnail for thumbnail, _ in asked]),
            np.stack([statistics_of(thumbnail) for thumbnail, _ in asked]),
            np.stack([asked_vector(defects) for _, defects in asked]),
        )
        return [ToneMap(curve, grid) for curve, grid in zip(curves, grids, strict=True)]

    def _adapted(self, tone_map: ToneMap, thumbnail: Pixels, defects: frozenset[Defect]) -> ToneMap:
        """What is known of single defects, and the network has not learned."""
        if defects == FLAT_ALONE:
            return _with_stretch(tone_map, thumbnail)
        if defects == DARK_ALONE:
            return _with_neutral_greys(tone_map)
        if Defect.HAZY in defects and Defect.LOW_LIGHT not in defects:
            return self._with_light(tone_map, thumbnail, defects)
        return tone_map

    def _with_light(
        self, tone_map: ToneMap, thumbnail: Pixels, defects: frozenset[Defect]
    ) -> ToneMap:
        """Ask for light, too, as far as the photo turns out to be dark under its haze.

        Cameras expose for the haze, which is bright, and leave what is under it too dark; that
        shows only once the haze is gone. Photos made hazy were exposed without it.
        """
        cleared = apply_tone_map(thumbnail, tone_map)
        (brighter,) = self._predict([(cleared, DARK_ALONE)])
        (lit,) = self._predict([(thumbnail, defects | DARK_ALONE)])
        missing = _doublings(cleared, apply_tone_map(cleared, brighter))
        return tone_map.toward(lit, min(max(missing / DARK_UNDER_HAZE, 0.0), 1.0))


def load_toner(weights: Path, device: str) -> Toner:
    """Read the trained toner, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    read_notes(weights, "ToneNetwork")
    return Toner(load_network(weights, device))
