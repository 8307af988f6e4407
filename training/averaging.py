"""Means of a network's weights: steadier than where the last steps happened to end.

Stochastic gradients keep weights moving around what they tend to; their running mean lies nearer to
it (Polyak and Juditsky 1992; of network weights Izmailov et al. 2018, arXiv:1803.05407). Between
weights and what they became by further training there may be better ones than both (Wortsman et al.
2022, arXiv:2109.01903).
"""

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

STEPS = 500  # how far back the mean reaches, about

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def approach(network: nn.Module, other: nn.Module, share: float) -> None:
    """Move `network`'s weights `share` of the way to `other`'s; whole numbers are taken over."""
    theirs = other.state_dict()
    for name, ours in network.state_dict().items():
        if ours.is_floating_point():
            ours.lerp_(theirs[name], share)
        else:
            ours.copy_(theirs[name])


class Averaged(nn.Module, Generic[Network]):
    """A network and its mean in one module, so that one checkpoint keeps both."""

    count: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.mean = network, deepcopy(network).requires_grad_(requires_grad=False)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def follow(self) -> None:
        """Let the network's weights of now into the mean: plain at first, later exponential."""
        self.count += 1
        share = 1 / min(int(self.count), STEPS)
        approach(self.mean, self.network, share)
