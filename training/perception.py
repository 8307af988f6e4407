"""Distance between pictures by the features of a SqueezeNet: as a loss, and as a measure.

After Zhang et al. 2018 (LPIPS, arXiv:1801.03924), but with uniform weights instead of weights
fitted to people's judgements: so it is called SqueezeNet distance, and its values are not LPIPS.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from darkroom.imaging.chroma import IMAGENET_DEVIATION, IMAGENET_MEAN

BACKBONE = "backbones/squeezenet1_1_imagenet_fp16.pth"
TAPS = (1, 4, 7, 9, 12)  # strides 2, 4, 8, 16, 16 after the first and the fire modules
_FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128)}
_FIRES |= {9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}


class Fire(nn.Module):
    def __init__(self, inside: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inside, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


class Perception(nn.Module):
    """SqueezeNet 1.1 up to its last fire module, frozen; key names of torchvision.

    `look` maps (N, 3, H, W) sRGB in [0, 1] to features (N, C, H', W') at each of `TAPS`; those of
    one place have length 1.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 2), nn.ReLU()]
        for index in range(2, 13):
            fire = _FIRES.get(index)
            layers.append(Fire(*fire) if fire else nn.MaxPool2d(3, 2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).reshape(3, 1, 1))
        self.requires_grad_(requires_grad=False).eval()

    def look(self, pictures: Tensor) -> list[Tensor]:
        x = (pictures - self.mean) / self.deviation
        seen = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in TAPS:
                seen.append(x / (x.float().square().sum(dim=1, keepdim=True) + 1e-6).sqrt())
        return seen

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """SqueezeNet distance of each pair of pictures, (N,)."""
        with torch.no_grad():
            truth = self.look(second)
        pairs = zip(self.look(first), truth, strict=True)
        parts = [(a - b).float().square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
        return torch.stack(parts).sum(dim=0)


def load_perception(data: Path) -> Perception:
    network = Perception()
    state = torch.load(data / BACKBONE, weights_only=True)
    wanted = {name: value for name, value in state.items() if name.startswith("features.")}
    network.load_state_dict(wanted, strict=False)
    return network
