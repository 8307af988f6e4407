"""The toner: predicts, from a thumbnail and the defects to mend, the tone map that mends them."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.imaging.photo import Pixels
from darkroom.imaging.tone_map import ToneMap
from darkroom.imaging.views import PERCENTILES, STATISTICS, THUMBNAIL_PX, statistics_of
from darkroom.networks.runtime import Arrays, Compiled, compile_network, convert_network
from darkroom.networks.trunk import Trunk
from darkroom.networks.weights import read_weights

MENDED = MENDS[Enhancer.TONE]  # order of the network's `asked` input
FLAT_ALONE = frozenset({Defect.LOW_CONTRAST})
FLATTEST = 16  # levels between the percentiles: with less there is nothing to stretch
KNOTS = 24  # of each curve
LEVELS = 5 * len(PERCENTILES)
SPANS = 5 * 3
GRID = 8  # nodes along each side


class ToneNetwork(nn.Module):
    """From thumbnail, statistics and the defects asked for to the curves and the grid.

    forward: thumbnails (N, 192, 192, 3) uint8, statistics (N, 57), asked (N, 5) of zeros and ones
    → curves (N, 3, 256), grid (N, 8, 8, 3, 4), as in `ToneMap`. Untrained, it is the identity.
    """

    basis: Tensor
    identity: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(stages=5)
        channels = self.trunk.channels
        known = STATISTICS + LEVELS + SPANS + len(MENDED)
        self.facts = nn.Sequential(nn.Linear(known, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.summary = nn.Sequential(nn.Linear(channels + 128, 256), nn.ReLU())
        self.curve_head = nn.Linear(256, 3 * KNOTS)
        self.local = nn.Sequential(nn.Conv2d(channels + 3, 96, 5), nn.ReLU())  # 12×12 → 8×8
        self.context = nn.Linear(256, 96)
        self.grid_head = nn.Conv2d(96, 12, 1)
        self.global_head = nn.Linear(256, 12)
        for head in (self.curve_head, self.grid_head, self.global_head):
            for parameter in head.parameters():
                nn.init.zeros_(parameter)
        # Knots lie closer in the darks, where a dark photo has all its levels.
        knots = torch.linspace(0, 1, KNOTS + 1) ** 2
        widths = knots[1:] - knots[:-1]
        levels = torch.arange(256) / 255
        # The curve is the integral of its slopes; column k: how much of span k lies below a level.
        basis = (levels[:, None] - knots[None, :-1]).clamp(min=0).minimum(widths)
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("identity", torch.eye(3, 4).reshape(12), persistent=False)

    def forward(
        self, thumbnails: Tensor, statistics: Tensor, asked: Tensor
    ) -> tuple[Tensor, Tensor]:
        features = self.trunk(thumbnails)
        facts = self.facts(torch.cat([statistics, _logarithms(statistics), asked], dim=1))
        summary = self.summary(torch.cat([features.mean(dim=(2, 3)), facts], dim=1))
        # Slopes stay positive: a tone map never turns brighter into darker.
        slopes = torch.exp(self.curve_head(summary).clamp(-4, 4)).reshape(-1, 3, KNOTS)
        curves = slopes @ self.basis.T
        # The colours themselves, at the grid's resolution: the trunk's features have lost them.
        side = features.shape[-1]
        colours = thumbnails.permute(0, 3, 1, 2).float() / 255
        colours = F.avg_pool2d(colours, THUMBNAIL_PX // side)
        local = self.local(torch.cat([features, colours], dim=1))
        local = self.grid_head(F.relu(local + self.context(summary)[:, :, None, None]))
        grid = local + (self.global_head(summary) + self.identity)[:, :, None, None]
        return curves, grid.permute(0, 2, 3, 1).reshape(-1, GRID, GRID, 3, 4)


def _logarithms(statistics: Tensor) -> Tensor:
    """Levels and spans between them as logarithms: the slopes of a curve are in proportion to them.

    Without these the network has to learn a division. (N, 57) → (N, 70).
    """
    levels = statistics[:, :LEVELS].reshape(-1, 5, LEVELS // 5)
    spans = levels[:, :, [10, 9, 7]] - levels[:, :, [0, 1, 3]]
    known = torch.cat([levels, spans], dim=2).flatten(1)
    return torch.log(known.clamp(min=0) + 0.01)


def asked_vector(defects: Collection[Defect]) -> np.ndarray:
    """Ones for the defects to mend, in the network's order: (5,) float32."""
    return np.asarray([defect in defects for defect in MENDED], np.float32)


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


class Toner:
    def __init__(self, network: Compiled) -> None:
        self.network = network

    def plan(self, asked: list[tuple[Pixels, frozenset[Defect]]]) -> list[ToneMap]:
        """Predict a tone map for each thumbnail (192, 192, 3) and the defects to mend in it."""
        curves, grids = self.network(
            np.stack([thumbnail for thumbnail, _ in asked]),
            np.stack([statistics_of(thumbnail) for thumbnail, _ in asked]),
            np.stack([asked_vector(defects) for _, defects in asked]),
        )
        maps = [ToneMap(curve, grid) for curve, grid in zip(curves, grids, strict=True)]
        return [
            _with_stretch(tone_map, thumbnail) if defects == FLAT_ALONE else tone_map
            for tone_map, (thumbnail, defects) in zip(maps, asked, strict=True)
        ]


def load_toner(weights: Path, device: str) -> Toner:
    """Read the trained toner, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    network = ToneNetwork()
    read_weights(weights, network)
    return Toner(compile_network(network, _example(), device, weights.with_suffix(".xml")))


def convert(weights: Path) -> None:
    """Convert the network ahead of time, into files beside `weights` that loading then finds."""
    network = ToneNetwork()
    read_weights(weights, network)
    convert_network(network, _example(), weights.with_suffix(".xml"))


def _example() -> Arrays:
    return (
        np.zeros((1, THUMBNAIL_PX, THUMBNAIL_PX, 3), np.uint8),
        np.zeros((1, STATISTICS), np.float32),
        np.zeros((1, len(MENDED)), np.float32),
    )
