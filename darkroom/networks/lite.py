"""The colorizer that ships: from a photo's grey to its likely colours, small and fast.

Same family as DeOldify's generators: a U-Net on an ImageNet encoder, pixel shuffles with a blur, a
self-attention. Unlike them it predicts, for each place, how likely each of 169 colours is (Zhang et
al. 2016, arXiv:1603.08511), not one colour: the mean of "red or blue" is brown, and how far to go
from the mean to the likeliest colour is chosen after training.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from darkroom.imaging.chroma import IMAGENET_DEVIATION, IMAGENET_MEAN
from darkroom.networks.trunk import Trunk

# Levels of U and of V: close together near grey, where most colours of a room lie.
KNOTS = (-0.42, -0.30, -0.20, -0.13, -0.08, -0.04, 0.0, 0.04, 0.08, 0.13, 0.20, 0.30, 0.42)
STRIDE = 4  # colours are predicted at a quarter of the side
SKIPS = {3: 24, 6: 32, 13: 96}  # encoder block → channels, at strides 4, 8 and 16


def _convolution(inside: int, outside: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


class Upsample(nn.Module):
    """Double the side by a pixel shuffle, blurred so that the shuffle leaves no chequerboard."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.spread = _convolution(inside, 4 * outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.spread(x), 2)
        blurred: Tensor = F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)
        return blurred


class Attention(nn.Module):
    """Let every place look at every other one (Zhang et al. 2018, arXiv:1805.08318)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (f(x).flatten(2) for f in (self.query, self.key, self.value))
        weights = torch.softmax(key.transpose(1, 2) @ query, dim=1)
        seen: Tensor = (value @ weights).reshape(x.shape)
        return x + self.gamma * seen


class Block(nn.Module):
    """One level up: what lies below, doubled, beside what the encoder saw at that size."""

    def __init__(self, inside: int, upsampled: int, skip: int, outside: int) -> None:
        super().__init__()
        self.up = Upsample(inside, upsampled)
        self.skip = nn.BatchNorm2d(skip)
        self.convolutions = nn.Sequential(
            _convolution(upsampled + skip, outside), _convolution(outside, outside)
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        # A side that is odd at the encoder's end comes back one too large.
        x = self.up(x)[:, :, : skip.shape[2], : skip.shape[3]]
        y: Tensor = self.convolutions(torch.cat([x, F.relu(self.skip(skip))], dim=1))
        return y


class LiteGenerator(nn.Module):
    """Map (N, 3, S, S) grey, normalised with ImageNet's mean and deviation, to (N, 2, S, S) chroma.

    S is a multiple of 16 from 112. Chroma is U and V of BT.601 YUV, as OpenCV's `COLOR_RGB2YUV` has
    them for float pictures, without its offset of one half: float32 in [-0.5, 0.5].
    """

    mean: Tensor
    deviation: Tensor
    colours: Tensor
    temperature: Tensor
    saturation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Trunk(stages=6).blocks
        self.middle = nn.Sequential(_convolution(160, 320), _convolution(320, 320))
        self.blocks = nn.ModuleList(
            (Block(320, 128, 96, 224), Block(224, 96, 32, 128), Block(128, 64, 24, 96))
        )
        self.attention = Attention(224)
        self.head = nn.Conv2d(96, len(KNOTS) ** 2, 1)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(IMAGENET_DEVIATION).reshape(3, 1, 1), persistent=False
        )
        knots = torch.tensor(KNOTS)
        self.register_buffer("colours", torch.cartesian_prod(knots, knots), persistent=False)
        # Fitted after training: 1 is the mean of what is likely, 0 the likeliest.
        self.register_buffer("temperature", torch.tensor(1.0))
        self.register_buffer("saturation", torch.tensor(1.0))

    def judge(self, grey: Tensor) -> Tensor:
        """How likely each colour is: logits (N, 169, S / 4, S / 4)."""
        x = 2 * (grey * self.deviation + self.mean) - 1  # as the encoder was trained
        skips = []
        for index, block in enumerate(self.encoder):
            x = block(x)
            if index in SKIPS:
                skips.append(x)
        x = self.middle(x)
        for index, (block, skip) in enumerate(zip(self.blocks, reversed(skips), strict=True)):
            x = block(x, skip)
            x = self.attention(x) if index == 0 else x
        logits: Tensor = self.head(x)
        return logits

    def decide(self, logits: Tensor, temperature: Tensor | float) -> Tensor:
        """The chroma that `logits` stand for: (N, 2, S / 4, S / 4)."""
        likely = torch.softmax(logits.float() / temperature, dim=1)
        return torch.einsum("nchw,cd->ndhw", likely, self.colours)

    def forward(self, grey: Tensor) -> Tensor:
        chroma = self.saturation * self.decide(self.judge(grey), self.temperature)
        # Along the luma's edges would be no nearer to the truth: 42.4 dB where bilinear has 42.6.
        chroma = F.interpolate(chroma, scale_factor=STRIDE, mode="bilinear", align_corners=False)
        return chroma.clamp(-0.5, 0.5)


def normalise(luma: Tensor) -> Tensor:
    """(N, S, S) luma in [0, 1] → (N, 3, S, S), the network's input."""
    mean = luma.new_tensor(IMAGENET_MEAN).reshape(3, 1, 1)
    return (luma[:, None] - mean) / luma.new_tensor(IMAGENET_DEVIATION).reshape(3, 1, 1)
