"""The restorer: predicts what to add to a photo so that noise, blur and JPEG traces go."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.networks.runtime import Arrays, Compiled, compile_network, convert_network
from darkroom.networks.weights import read_weights

MENDED = MENDS[Enhancer.RESTORE]  # order of the network's `told` input
CHANNELS = (32, 64, 128)  # at a half, a quarter and an eighth of the tile's side
BLOCKS = (2, 2, 4)
TILE_PX = 352  # side of the tiles, a multiple of 16: twelve cover an everyday photo of 1280×960

# Told so much blur and nothing else, the network leaves a grid of single pixels beside edges; up to
# where it is wholly filtered away. Held-out photos of severity 0.75 then gain 0.85 instead of 0.83
# dB, those of 0.6 1.13 instead of 1.22: the price of having no grid.
GRID_FROM, GRID_FULL = 0.35, 0.6
_BINOMIAL = np.asarray([0.25, 0.5, 0.25], np.float32)  # zero for what alternates

Correction = NDArray[np.float32]  # (…, H, W, 3), 8-bit levels to add


class Residual(nn.Module):
    """Two plain convolutions around which the features pass unchanged.

    No norm and no depthwise convolution: both cost more time on a processor than they add.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.1)  # near the identity: deep stacks then train from the start

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.second(F.relu(self.first(x)))
        return x + added


class RestoreNetwork(nn.Module):
    """A U-Net of residual blocks after DRUNet (Zhang et al. 2021, arXiv:2008.13751), much smaller.

    forward: tiles (N, H, W, 3) uint8 with sides that are multiples of 8, and the severities to mend
    in each, `told` (N, 3) in [0, 1] in the order of `MENDED` → the correction (N, H, W, 3) float32
    in levels. Not the restored tile: a correction is small, so bfloat16 hardly rounds it, and a
    part of it can be added. Untrained, it is zero.
    """

    def __init__(self) -> None:
        super().__init__()
        # Four pixels side by side are one position: the first level has a quarter of the work.
        self.head = nn.Conv2d(12 + len(MENDED), CHANNELS[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(Residual(c) for _ in range(n)))
            for c, n in zip(CHANNELS, BLOCKS, strict=True)
        )
        self.up = nn.ModuleList(
            nn.Sequential(*(Residual(c) for _ in range(n)))
            for c, n in zip(CHANNELS[:-1], BLOCKS[:-1], strict=True)
        )
        pairs = list(pairwise(CHANNELS))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairs)
        self.told = nn.Sequential(
            nn.Linear(len(MENDED), 64), nn.ReLU(), nn.Linear(64, 2 * sum(CHANNELS[1:]))
        )
        self.tail = nn.Conv2d(CHANNELS[0], 12, 3, padding=1)
        for last in (self.told[2], self.tail):
            for parameter in last.parameters():
                nn.init.zeros_(parameter)

    def forward(self, tiles: Tensor, told: Tensor) -> Tensor:
        x = F.pixel_unshuffle(tiles.permute(0, 3, 1, 2).float() / 127.5 - 1, 2)
        maps = told[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])
        correction = F.pixel_shuffle(self.features(torch.cat([x, maps], dim=1), told), 2)
        return correction.permute(0, 2, 3, 1).float() * 127.5

    def features(self, x: Tensor, told: Tensor) -> Tensor:
        """The convolutions: (N, 15, H / 2, W / 2) → (N, 12, H / 2, W / 2)."""
        widths = [2 * c for c in CHANNELS[1:]]
        known = self.told(told)[:, :, None, None].split(widths, dim=1)
        y = self.down[0](self.head(x))
        passed = []
        for shrink, blocks, scaling in zip(self.shrink, self.down[1:], known, strict=True):
            passed.append(y)
            gain, offset = scaling.chunk(2, dim=1)
            y = blocks(shrink(y) * (1 + gain) + offset)
        for level in reversed(range(len(passed))):
            y = self.up[level](self.grow[level](y) + passed[level])
        tail: Tensor = self.tail(y)
        return tail


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
    """A trained network, compiled for each size of tiles as it is asked for."""

    def __init__(self, compile_for: Callable[[int], Compiled]) -> None:
        self._compile_for = cache(compile_for)
        self._compile_for(TILE_PX)

    def correct(self, tiles: NDArray[np.uint8], told: NDArray[np.float32]) -> Correction:
        """Predict the corrections of square tiles (N, side, side, 3) told (N, 3) severities."""
        (correction,) = self._compile_for(tiles.shape[1])(tiles, told)
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
    network = RestoreNetwork()
    read_weights(weights, network)
    converted = weights.with_suffix(".xml")
    return Restorer(lambda side: compile_network(network, _example(side), device, converted))


def convert(weights: Path) -> None:
    """Convert the network ahead of time, into files beside `weights` that loading then finds."""
    network = RestoreNetwork()
    read_weights(weights, network)
    convert_network(network, _example(TILE_PX), weights.with_suffix(".xml"))


def _example(tile_px: int) -> Arrays:
    return (
        np.zeros((1, tile_px, tile_px, 3), np.uint8),
        np.zeros((1, len(MENDED)), np.float32),
    )
