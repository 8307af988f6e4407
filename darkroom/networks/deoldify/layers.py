"""The decoder's layers, with the parameters that the official checkpoints hold."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SpectralConv(nn.Module):
    """A convolution whose kernel is divided by its spectral norm as estimated when training ended.

    Spectral normalisation after Miyato et al. 2018, arXiv:1802.05957, as the elder of torch's
    implementations stores it: `weight_orig`, and the unit vectors `weight_u`, `weight_v`.
    """

    bias: nn.Parameter | None
    weight_u: Tensor
    weight_v: Tensor

    def __init__(
        self, channels_in: int, channels_out: int, kernel: tuple[int, ...], *, bias: bool = False
    ) -> None:
        super().__init__()
        self.register_parameter("bias", nn.Parameter(torch.zeros(channels_out)) if bias else None)
        self.weight_orig = nn.Parameter(torch.empty(channels_out, channels_in, *kernel))
        fan_in = self.weight_orig[0].numel()
        nn.init.normal_(self.weight_orig, std=(2 / fan_in) ** 0.5)
        self.register_buffer("weight_u", torch.full((channels_out,), channels_out**-0.5))
        self.register_buffer("weight_v", torch.full((fan_in,), fan_in**-0.5))

    @property
    def weight(self) -> Tensor:
        sigma = self.weight_u @ (self.weight_orig.flatten(1) @ self.weight_v)
        return self.weight_orig / sigma

    def forward(self, x: Tensor) -> Tensor:
        return _convolve(x, self.weight, self.bias)


class WeightNormConv(nn.Module):
    """A 1×1 convolution by direction and length (Salimans and Kingma 2016, arXiv:1602.07868)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.weight_g = nn.Parameter(torch.ones(channels_out, 1, 1, 1))
        self.weight_v = nn.Parameter(torch.empty(channels_out, channels_in, 1, 1))
        nn.init.kaiming_normal_(self.weight_v)

    @property
    def weight(self) -> Tensor:
        lengths = self.weight_v.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
        weight: Tensor = self.weight_v * (self.weight_g / lengths)
        return weight

    def forward(self, x: Tensor) -> Tensor:
        return _convolve(x, self.weight, self.bias)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    convolve = F.conv1d if weight.dim() == 3 else F.conv2d
    return convolve(x, weight, bias, padding=weight.shape[-1] // 2)


def custom_conv(channels_in: int, channels_out: int, *, attention: bool = False) -> nn.Sequential:
    """3×3 convolution, ReLU, and only then the batch norm; then self-attention if asked for."""
    layers = [
        SpectralConv(channels_in, channels_out, (3, 3)),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(channels_out),
        *([SelfAttention(channels_out)] if attention else []),
    ]
    return nn.Sequential(*layers)


class SelfAttention(nn.Module):
    """Each position gathers from all (Zhang et al. 2018, arXiv:1805.08318), (N, C, H, W) → same.

    The roles are swapped against the textbook's: shares sum to 1 over the *query's* positions,
    whose values are gathered, and nothing is divided by the square root of the width.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))
        self.query = SpectralConv(channels, channels // 8, (1,))
        self.key = SpectralConv(channels, channels // 8, (1,))
        self.value = SpectralConv(channels, channels, (1,))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        query, key, value = (f(flat).transpose(1, 2) for f in (self.query, self.key, self.value))
        gathered = F.scaled_dot_product_attention(key, query, value, scale=1.0)
        return x + self.gamma * gathered.transpose(1, 2).reshape(x.shape)


class Shuffle(nn.Module):
    """Twice the side: 1×1 convolution, ReLU, pixel shuffle, and a 2×2 blur against the checkers.

    Shuffle and blur after Aitken et al. 2017, arXiv:1707.02937, and Sugawara et al. 2018,
    arXiv:1806.02658.
    """

    def __init__(self, conv: nn.Sequential) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        x = F.pixel_shuffle(F.relu(self.conv(x)), 2)
        return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


def spectral_shuffle(channels_in: int, channels_out: int) -> Shuffle:
    conv = SpectralConv(channels_in, 4 * channels_out, (1, 1))
    return Shuffle(nn.Sequential(conv, nn.BatchNorm2d(4 * channels_out)))


def weight_norm_shuffle(channels: int) -> Shuffle:
    return Shuffle(nn.Sequential(WeightNormConv(channels, 4 * channels)))


class Residual(nn.Module):
    """Two 3×3 convolutions with ReLU, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(self._conv(channels) for _ in range(2)))

    @staticmethod
    def _conv(channels: int) -> nn.Sequential:
        conv = SpectralConv(channels, channels, (3, 3), bias=True)
        return nn.Sequential(conv, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y
