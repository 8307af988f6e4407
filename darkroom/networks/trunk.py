"""The trunk of `defects`, `tone` and `lite`: MobileNetV2 with its batch norms folded."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Expansion, channels, blocks, stride of each stage, up to the last one that we use (Sandler et al.
# 2018, arXiv:1801.04381, table 2).
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
)


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding, which the pretrained weights expect.

    At stride 2 and even sizes that is one row below and one column to the right; the second, which
    only odd sizes reach, keeps their last row and column.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inside, outside, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 2:
            x = F.pad(x, (0, 2, 0, 2))
        return super().forward(x)


class InvertedResidual(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inside * expansion
        expand = [SameConv(inside, hidden, 1), nn.ReLU6()] if expansion != 1 else []
        self.layers = nn.Sequential(
            *expand,
            SameConv(hidden, hidden, 3, stride, groups=hidden),
            nn.ReLU6(),
            SameConv(hidden, outside, 1),
        )
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class Trunk(nn.Module):
    """Map (N, H, W, 3) uint8 sRGB to (N, channels, H / stride, W / stride) float32 features."""

    def __init__(self, stages: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = [nn.Sequential(SameConv(3, 32, 3, 2), nn.ReLU6())]
        inside, self.stride = 32, 2
        for expansion, outside, repeats, stride in STAGES[:stages]:
            for index in range(repeats):
                first = stride if index == 0 else 1
                blocks.append(InvertedResidual(inside, outside, first, expansion))
                inside = outside
            self.stride *= stride
        self.channels = inside
        self.blocks = nn.Sequential(*blocks)

    def forward(self, pictures: Tensor) -> Tensor:
        x = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        features: Tensor = self.blocks(x)
        return features


def load_imagenet(trunk: nn.Module, state: dict[str, Tensor]) -> None:
    """Fill `trunk` from a state dict with torchvision's key names and folded batch norms.

    The convolutions come in the same order in both; each norm has kept its bias alone.
    """
    kernels = [value for key, value in state.items() if value.ndim == 4]
    biases = [v for k, v in state.items() if k.startswith("features") and k.endswith(".bias")]
    convolutions = [layer for layer in trunk.modules() if isinstance(layer, SameConv)]
    with torch.no_grad():
        for layer, kernel, bias in zip(convolutions, kernels, biases, strict=False):
            layer.weight.copy_(kernel)
            if layer.bias is not None:
                layer.bias.copy_(bias)
