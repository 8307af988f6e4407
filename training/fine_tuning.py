"""What both trainings share: arguments, the pretrained trunk, the learning rates."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn

from darkroom.networks.defects import DefectNetwork
from darkroom.networks.tone import ToneNetwork
from darkroom.networks.trunk import load_imagenet

DATA = Path("../shared/data")
BACKBONE = "backbones/mobilenet_v2_imagenet_fp16.pth"
FROZEN_BLOCKS = 3  # edges and colours: good as they are, and dear to train
TRUNK_RATE, FRESH_RATE = 3e-4, 1e-3


@dataclass(frozen=True)
class Run:
    """What a training is told: the photos, its time, and the folder of its checkpoints."""

    data: Path
    minutes: float
    folder: Path


def begin(name: str, description: str | None) -> Run:
    """Read the command line and make the run repeatable, on one thread."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=DATA, help="photos, index and backbones")
    parser.add_argument("--minutes", type=float, default=65, help="wall time of the training")
    parser.add_argument("--run", type=Path, default=Path("runs") / name, help="checkpoints, losses")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    return Run(arguments.data, arguments.minutes, arguments.run)


def prepare(network: DefectNetwork | ToneNetwork, data: Path) -> torch.optim.Optimizer:
    """Start the trunk from ImageNet, freeze its first blocks, and give the rest their rates."""
    trunk = network.trunk
    load_imagenet(trunk, torch.load(data / BACKBONE, weights_only=True))
    trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for block in list(trunk.blocks)[:FROZEN_BLOCKS]:
        block.requires_grad_(requires_grad=False)
    in_bfloat16(trunk)
    fresh = [p for name, p in network.named_parameters() if not name.startswith("trunk")]
    groups = [
        {"params": [p for p in trunk.parameters() if p.requires_grad], "lr": TRUNK_RATE},
        {"params": fresh, "lr": FRESH_RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=1e-4)


def in_bfloat16(module: nn.Module) -> None:
    """Let `module` compute in bfloat16 under autograd; it still returns float32."""
    forward = module.forward

    def lighter(*arguments: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            output: Tensor = forward(*arguments)
        return output.float()

    module.forward = lighter
