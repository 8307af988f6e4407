"""The network of `restore`: what to add to a tile so that noise, blur and JPEG traces go."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from darkroom.contracts.defects import MENDS, Enhancer

MENDED = MENDS[Enhancer.RESTORE]  # order of the network's `told` input
CHANNELS = (32, 64, 128)  # at a half, a quarter and an eighth of the tile's side
BLOCKS = (2, 2, 4)


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
