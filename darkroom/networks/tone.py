"""The network of `tone`: curves and a grid from a thumbnail and the defects to mend in it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from darkroom.contracts.defects import MENDS, Enhancer
from darkroom.imaging.views import PERCENTILES, STATISTICS, THUMBNAIL_PX
from darkroom.networks.trunk import Trunk

MENDED = MENDS[Enhancer.TONE]  # order of the network's `asked` input
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
        colours = _average_areas(thumbnails, features.shape[-1])
        local = self.local(torch.cat([features, colours], dim=1))
        local = self.grid_head(F.relu(local + self.context(summary)[:, :, None, None]))
        grid = local + (self.global_head(summary) + self.identity)[:, :, None, None]
        return curves, grid.permute(0, 2, 3, 1).reshape(-1, GRID, GRID, 3, 4)


def _average_areas(thumbnails: Tensor, side: int) -> Tensor:
    """Mean colours of squares, from (N, 192, 192, 3) of 0…255 to (N, 3, side, side) in [0, 1].

    Whole rows first, a vector each; pooling pictures of three channels took OpenVINO twice as long.
    """
    square = THUMBNAIL_PX // side
    rows = thumbnails.float().reshape(-1, side, square, 3 * THUMBNAIL_PX).mean(dim=2) / 255
    return rows.reshape(-1, side, side, square, 3).mean(dim=3).permute(0, 3, 1, 2)


def _logarithms(statistics: Tensor) -> Tensor:
    """Levels and spans between them as logarithms: the slopes of a curve are in proportion to them.

    Without these the network has to learn a division. (N, 57) → (N, 70).
    """
    levels = statistics[:, :LEVELS].reshape(-1, 5, LEVELS // 5)
    spans = levels[:, :, [10, 9, 7]] - levels[:, :, [0, 1, 3]]
    known = torch.cat([levels, spans], dim=2).flatten(1)
    return torch.log(known.clamp(min=0) + 0.01)
