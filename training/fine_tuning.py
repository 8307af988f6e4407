"""What the trainings of `defects` and `tone` share: arguments, the weights to start from, rates."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from darkroom.networks.defects import DefectNetwork
from darkroom.networks.tone import ToneNetwork
from darkroom.networks.trunk import load_imagenet
from darkroom.networks.weights import read_weights
from training.loop import make_repeatable

DATA = Path("../shared/data")
BACKBONE = "backbones/mobilenet_v2_imagenet_fp16.pth"
TRUNK_RATE, FRESH_RATE = 3e-4, 1e-3
FROZEN_BLOCKS = 3  # edges and colours: good as they are, and dear to train
FURTHER_RATE = 4e-4  # where trained weights are trained on, and the whole trunk is frozen


@dataclass(frozen=True)
class Run:
    """What a training is told: the photos, its time, the folder of its checkpoints, its start."""

    data: Path
    minutes: float
    folder: Path
    further: Path | None = None  # trained weights; without, the trunk starts from ImageNet's


def begin(name: str, description: str | None) -> Run:
    """Read the command line and make the run repeatable, on one thread."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=DATA, help="photos, index and backbones")
    parser.add_argument("--minutes", type=float, default=65, help="wall time of the training")
    parser.add_argument("--run", type=Path, default=Path("runs") / name, help="checkpoints, losses")
    parser.add_argument("--further", type=Path, help="weights to start from, instead of ImageNet's")
    arguments = parser.parse_args()
    make_repeatable()
    folder = arguments.run / "further" if arguments.further else arguments.run
    return Run(arguments.data, arguments.minutes, folder, arguments.further)


def prepare(network: DefectNetwork | ToneNetwork, run: Run) -> torch.optim.Optimizer:
    """Read the weights to start from, freeze what is good as it is, give the rest its rates.

    Raises:
        WrongWeights: those of `run.further` belong to another network.
    """
    trunk, frozen, rate = network.trunk, list(network.trunk.blocks)[:FROZEN_BLOCKS], FRESH_RATE
    if run.further is None:
        load_imagenet(trunk, torch.load(run.data / BACKBONE, weights_only=True))
    else:
        read_weights(run.further, network)
        network.train()
        frozen, rate = [trunk], FURTHER_RATE
    trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for part in frozen:
        part.requires_grad_(requires_grad=False)
    in_bfloat16(trunk)
    fresh = [p for name, p in network.named_parameters() if not name.startswith("trunk")]
    groups = [
        {"params": [p for p in trunk.parameters() if p.requires_grad], "lr": TRUNK_RATE},
        {"params": fresh, "lr": rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=1e-4)


def read_classifier(weights: Path) -> tuple[DefectNetwork, dict[str, str]]:
    """A trained one, to fit parts of it behind its trunk; also what its weights say of themselves.

    Raises:
        WrongWeights: they are damaged or belong to another network.
    """
    network = DefectNetwork()
    notes = read_weights(weights, network)
    in_bfloat16(network.trunk)
    return network, notes


def in_bfloat16(module: nn.Module) -> None:
    """Let `module` compute in bfloat16 under autograd; it still returns float32."""
    forward = module.forward

    def lighter(*arguments: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            output: Tensor = forward(*arguments)
        return output.float()

    module.forward = lighter
