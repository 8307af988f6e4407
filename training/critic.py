"""The critic of the adversarial polish: tells true colours from a colorizer's, patch by patch.

DeOldify's NoGAN (Antic 2019, github.com/jantic/DeOldify): the critic first learns alone, on
pictures that the finished colorizer makes; then both go on together for a short while only, the
critic until its loss is low enough, the colorizer one step, in turn.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

WIDTH = 48  # channels of the first layer, doubled by each of the next two; DeOldify has 256
GOOD_ENOUGH = 0.65  # loss of the critic from which the colorizer may take a step


class Critic(nn.Module):
    """(N, 3, H, W) sRGB in [0, 1] → logits (N, 1, h, w), one a patch: positive if it looks true."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for outside in (width, 2 * width, 4 * width):
            layers += [
                spectral_norm(nn.Conv2d(inside, outside, 4, stride=2, padding=1)),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(outside, outside, 3, padding=1)),
                nn.LeakyReLU(0.2),
                nn.Dropout2d(0.1),
            ]
            inside = outside
        # Without a norm: colours differ little, and a bounded slope would never be sure of them.
        layers.append(nn.Conv2d(inside, 1, 4))
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.layers(2 * pictures - 1)
        return logits


def judgement(critic: Critic, pictures: Tensor) -> Tensor:
    with torch.autocast(pictures.device.type, torch.bfloat16):
        logits: Tensor = critic(pictures.contiguous(memory_format=torch.channels_last))
    return logits.float()


def critic_loss(critic: Critic, true: Tensor, coloured: Tensor) -> Tensor:
    """Cross entropy of telling the two apart: 0.69 for a coin."""
    believed, doubted = judgement(critic, true), judgement(critic, coloured)
    return 0.5 * (
        F.binary_cross_entropy_with_logits(believed, torch.ones_like(believed))
        + F.binary_cross_entropy_with_logits(doubted, torch.zeros_like(doubted))
    )


def persuasion_loss(critic: Critic, coloured: Tensor) -> Tensor:
    """How far the critic is from taking the coloured pictures for true."""
    doubted = judgement(critic, coloured)
    return F.binary_cross_entropy_with_logits(doubted, torch.ones_like(doubted))
