"""The encoders: residual networks (He et al. 2015, arXiv:1512.03385) up to their last features."""

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3×3 convolutions around a shortcut, as in ResNet-34."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        features: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return features


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions around a shortcut, as in ResNet-101; the 3×3 one strides."""

    expansion = 4

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = self.expansion * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(channels_in, channels_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        features: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return features


def _shortcut(channels_in: int, channels_out: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels_in == channels_out:
        return None
    projection = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
    return nn.Sequential(projection, nn.BatchNorm2d(channels_out))


class Encoder(nn.Sequential):
    """Stem and four stages, numbered 0…7 as the children of torchvision's networks.

    (N, 3, S, S) → skips of 1/2, 1/4, 1/8 and 1/16 of the side, finest first, and the deepest
    features at 1/32.
    """

    def __init__(self, block: type[BasicBlock | Bottleneck], depths: tuple[int, ...]) -> None:
        stages, channels = [], 64
        for index, depth in enumerate(depths):
            blocks = []
            for position in range(depth):
                stride = 2 if index and not position else 1
                blocks.append(block(channels, 64 << index, stride))
                channels = block.expansion * (64 << index)
            stages.append(nn.Sequential(*blocks))
        super().__init__(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
            *stages,
        )
        self.skip_channels = tuple(e * block.expansion for e in (64, 128, 256))
        self.channels = channels

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        kept = []
        for index, layer in enumerate(self):
            x = layer(x)
            if index in (2, 4, 5, 6):
                kept.append(x)
        return kept, x
