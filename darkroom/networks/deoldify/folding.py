"""From a generator as it was trained to the same function in fewer operations.

Spectral and weight norm become plain kernels. A batch norm that follows its convolution directly is
multiplied into it. One that follows a ReLU stays: the next convolution pads with zeros, so its
offset could not be moved there exactly.
"""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from darkroom.networks.deoldify.encoder import BasicBlock, Bottleneck
from darkroom.networks.deoldify.layers import SpectralConv, WeightNormConv


@torch.no_grad()
def fold(network: nn.Module) -> nn.Module:
    """Fold `network` in place and return it: evaluation only, with other names for its weights."""
    network.eval()
    _plain(network)
    for module in [*network.modules()]:
        if isinstance(module, BasicBlock | Bottleneck):
            for number in range(1, 4 if isinstance(module, Bottleneck) else 3):
                _fuse(module, f"conv{number}", f"bn{number}")
        elif isinstance(module, nn.Sequential):
            for index in range(len(module) - 1):
                if isinstance(module[index], nn.Conv2d):
                    _fuse(module, str(index), str(index + 1))
    return network


def _plain(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, SpectralConv | WeightNormConv):
            setattr(module, name, _plain_conv(child))
        else:
            _plain(child)


def _plain_conv(conv: SpectralConv | WeightNormConv) -> nn.Module:
    weight = conv.weight
    channels_out, channels_in, kernel, *_ = weight.shape
    with torch.device("meta"):  # what it would start with is replaced at once
        kind = nn.Conv1d if weight.dim() == 3 else nn.Conv2d
        plain = kind(
            channels_in, channels_out, kernel, padding=kernel // 2, bias=conv.bias is not None
        )
    plain.weight, plain.bias = nn.Parameter(weight), conv.bias
    return plain.eval()


def _fuse(parent: nn.Module, conv: str, norm: str) -> None:
    first, second = getattr(parent, conv), getattr(parent, norm)
    if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
        setattr(parent, conv, fuse_conv_bn_eval(first, second))
        setattr(parent, norm, nn.Identity())
