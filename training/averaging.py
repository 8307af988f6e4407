"""The running mean of a network's weights: steadier than where the last steps happened to end.

Stochastic gradients keep weights moving around what they tend to; the mean lies nearer to it
(Polyak and Juditsky 1992; of network weights Izmailov et al. 2018, arXiv:1803.05407).
"""

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

STEPS = 500  # how far back the mean reaches, about

Network = TypeVar("Network", bound=nn.Module)


class Averaged(nn.Module, Generic[Network]):
    """A network and its mean in one module, so that one checkpoint keeps both."""

    count: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.mean = network, deepcopy(network).requires_grad_(requires_grad=False)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self) -> None:
        """Let the network's weights of now into the mean: plain at first, later exponential."""
        self.count += 1
        share = 1 / min(int(self.count), STEPS)
        now = self.network.state_dict()
        for name, mean in self.mean.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], share)
            else:
                mean.copy_(now[name])
