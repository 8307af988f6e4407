"""Train the colorizer that ships: `python -m training.colorize`.

Two stages as in DeOldify, small squares first, then larger ones; each keeps a checkpoint of its own
and resumes from it, and ends in the mean of its last weights. On a GPU add `--device cuda`.
Afterwards `python -m training.polish_colorize` polishes adversarially, `--further` trains what came
of it in larger batches and goes half the way to that, and `python -m training.evaluate_colorize`
fits temperature and saturation and writes the report.
"""

import argparse
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from darkroom.networks.lite import LiteGenerator
from darkroom.networks.trunk import load_imagenet
from darkroom.networks.weights import read_weights, write_weights
from training.averaging import Averaged, approach
from training.colour_loss import (
    colour_loss,
    count_colours,
    measure,
    rarity_of,
    validation_squares,
)
from training.colour_photos import Squares, batches, favour_grass, find_colour_photos
from training.fine_tuning import BACKBONE, DATA
from training.loop import Progress, make_repeatable, train
from training.perception import load_perception
from training.photos import TrainingPhotos

WEIGHTS = Path("model-store/weights/colorize.safetensors")
FROZEN_BLOCKS = 4  # of the encoder: edges and textures, and the dearest to train
WATCHED = 96  # held-out photos by which a training is followed


@dataclass(frozen=True)
class Stage:
    name: str  # of its folder
    side: int
    batch: int
    share: float  # of the minutes
    rate: float  # of the fresh layers
    encoder_rate: float


STAGES = (
    Stage("small", 128, 16, 0.48, 1e-3, 2e-4),
    Stage("large", 192, 8, 0.52, 4e-4, 1.5e-4),
)
FURTHER = (Stage("further", 176, 16, 1.0, 4e-4, 1.5e-4),)  # for weights that have been polished
BACK = 0.5  # to those afterwards: both gain 2.3 dB over grey, what lies halfway 2.7


def start(data: Path, device: torch.device) -> LiteGenerator:
    """A network whose encoder knows ImageNet, its first blocks frozen."""
    network = LiteGenerator()
    load_imagenet(network.encoder, torch.load(data / BACKBONE, weights_only=True))
    freeze(network)
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def freeze(network: LiteGenerator) -> None:
    """Keep the encoder's first blocks as ImageNet made them."""
    for block in list(network.encoder)[:FROZEN_BLOCKS]:
        block.requires_grad_(requires_grad=False)


def optimiser_for(
    network: LiteGenerator, rate: float, encoder_rate: float
) -> torch.optim.Optimizer:
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    fresh = [p for name, p in network.named_parameters() if not name.startswith("encoder")]
    groups = [{"params": encoder, "lr": encoder_rate}, {"params": fresh, "lr": rate}]
    return torch.optim.AdamW(groups, weight_decay=1e-2)


def train_stage(
    network: LiteGenerator,
    stage: Stage,
    photos: TrainingPhotos,
    loss: Callable[[Squares], Tensor],
    minutes: float,
    run: Path,
    device: torch.device,
) -> Progress:
    """Train `network` by `loss`, which is its own, and end in the mean of its last weights."""
    averaged = Averaged(network)
    held_out = validation_squares(photos.validation, WATCHED, stage.side)

    def loss_of(squares: Squares) -> Tensor:
        averaged.follow()
        return loss(squares)

    averaged.train()
    progress = train(
        averaged,
        optimiser_for(network, stage.rate, stage.encoder_rate),
        batches(photos.training, stage.side, stage.batch, stage.side, device),
        loss_of,
        lambda: measure(averaged.mean, held_out, device),
        stage.share * minutes,
        run / stage.name,
    )
    network.load_state_dict(averaged.mean.state_dict())
    return progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="photos, index and backbones")
    parser.add_argument("--minutes", type=float, default=80, help="wall time of both stages")
    parser.add_argument("--run", type=Path, default=Path("runs/colorize"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--further", type=Path, help="weights to start from, instead of ImageNet's")
    arguments = parser.parse_args()
    make_repeatable()
    device = torch.device(arguments.device)
    arguments.run.mkdir(parents=True, exist_ok=True)
    stages = FURTHER if arguments.further else STAGES
    settings = {**vars(arguments), "stages": [asdict(stage) for stage in stages]}
    (arguments.run / "settings.json").write_text(json.dumps(settings, indent=2, default=str))
    photos = find_colour_photos(arguments.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    rarity = rarity_of(count_colours(photos.training[::4])).to(device)
    perception = load_perception(arguments.data).to(device)
    network = start(arguments.data, device)
    notes = {}
    if arguments.further:
        notes = read_weights(arguments.further, network)
    before = deepcopy(network)
    seen = replace(photos, training=favour_grass(photos.training))
    loss = partial(colour_loss, network, perception, rarity)
    for stage in stages:
        progress = train_stage(network, stage, seen, loss, arguments.minutes, arguments.run, device)
        if arguments.further:
            approach(network, before, BACK)
        notes[stage.name] = f"{progress.step} steps"
        write_weights(arguments.weights, network, notes)
        print(f"{stage.name}: {progress.step} steps, {-progress.scores[-1][1]:+.2f} dB")


if __name__ == "__main__":
    main()
