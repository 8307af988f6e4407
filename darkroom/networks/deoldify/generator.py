"""The two generators: grey in, colours out, at any side that is a multiple of 16.

They are U-Nets (Ronneberger et al. 2015, arXiv:1505.04597) after fastai 1.0.56. *artistic* has a
ResNet-34 and two convolutions in each block of its decoder; *stable*, also the network of the
"video" weights, a ResNet-101 and one wide convolution.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from darkroom.networks.deoldify.encoder import BasicBlock, Bottleneck, Encoder
from darkroom.networks.deoldify.layers import (
    Residual,
    SpectralConv,
    custom_conv,
    spectral_shuffle,
    weight_norm_shuffle,
)

Variant = Literal["artistic", "stable"]
VARIANTS: tuple[Variant, ...] = ("artistic", "stable")
OUTPUT_LIMIT = 3.0  # the output lies within ± this, in units of ImageNet's deviation
_WIDE = 512


class _Block(nn.Module):
    """One step up: deeper features twice as large, beside the encoder's of that size."""

    def __init__(self, channels_in: int, channels_up: int, skip: int) -> None:
        super().__init__()
        self.shuf = spectral_shuffle(channels_in, channels_up)
        self.bn = nn.BatchNorm2d(skip)

    def joined(self, deep: Tensor, skip: Tensor) -> Tensor:
        up = self.shuf(deep)
        # An odd number of 16s makes the deepest side one too large, 2n for 2n - 1; nearest
        # interpolation, which the original takes here, then leaves out the last row and column.
        up = up[:, :, : skip.shape[2], : skip.shape[3]]
        return torch.cat([up, self.bn(skip)], dim=1).relu()


class DeepBlock(_Block):
    def __init__(self, channels_in: int, skip: int, *, last: bool, attention: bool) -> None:
        super().__init__(channels_in, channels_in // 2, skip)
        joined = channels_in // 2 + skip
        self.channels = int((joined // 2 if last else joined) * 1.5)
        self.conv1 = custom_conv(joined, self.channels)
        self.conv2 = custom_conv(self.channels, self.channels, attention=attention)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        features: Tensor = self.conv2(self.conv1(self.joined(deep, skip)))
        return features


class WideBlock(_Block):
    def __init__(self, channels_in: int, skip: int, *, last: bool, attention: bool) -> None:
        self.channels = _WIDE // 2 if last else _WIDE
        super().__init__(channels_in, self.channels, skip)
        self.conv = custom_conv(self.channels + skip, self.channels, attention=attention)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        features: Tensor = self.conv(self.joined(deep, skip))
        return features


class Generator(nn.Module):
    """(N, 3, S, S) float32 grey, normalised by ImageNet's mean and deviation → colours, likewise.

    S is a multiple of 16. The modules stand where the checkpoints expect them, `layers.9` (joining
    the input) and `layers.12` (the sigmoid) without parameters. Freshly made it is untrained.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        block: type[DeepBlock | WideBlock]
        if variant == "artistic":
            encoder, block = Encoder(BasicBlock, (3, 4, 6, 3)), DeepBlock
        else:
            encoder, block = Encoder(Bottleneck, (3, 4, 23, 3)), WideBlock
        channels = encoder.channels
        middle = nn.Sequential(
            custom_conv(channels, 2 * channels), custom_conv(2 * channels, channels)
        )
        blocks: list[DeepBlock | WideBlock] = []
        for index, skip in enumerate((*reversed(encoder.skip_channels), 64)):
            blocks.append(block(channels, skip, last=index == 3, attention=index == 1))
            channels = blocks[-1].channels
        self.layers = nn.ModuleList(
            [
                encoder,
                nn.BatchNorm2d(encoder.channels),
                nn.ReLU(),
                middle,
                *blocks,
                weight_norm_shuffle(channels),
                nn.Identity(),
                Residual(channels + 3),
                nn.Sequential(SpectralConv(channels + 3, 3, (1, 1), bias=True)),
            ]
        )

    def forward(self, grey: Tensor) -> Tensor:
        encoder, norm, relu, middle, *blocks, shuffle, _, residual, head = self.layers
        skips, deep = encoder(grey)
        x = middle(relu(norm(deep)))
        for block, skip in zip(blocks, reversed(skips), strict=True):
            x = block(x, skip)
        x = residual(torch.cat([shuffle(x), grey], dim=1))
        return torch.sigmoid(head(x)) * (2 * OUTPUT_LIMIT) - OUTPUT_LIMIT
