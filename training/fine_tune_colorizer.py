"""Fine-tune the colorizer on a folder of photos: `python -m training.fine_tune_colorizer FOLDER`.

Any folder: COCO2017, an archive's own scans in colour. Its sources are split 70/15/15; the network
goes on from the weights that ship, on the first part; the second chooses among what it saw; the
third, which neither did, is reported on by `training.compare_colorizers`, which runs at the end.
Stopped, it goes on from its checkpoint when called again. On a GPU add `--device cuda`.
"""

import argparse
import json
from pathlib import Path

import torch

from darkroom.networks.lite import LiteGenerator
from darkroom.networks.weights import read_weights, write_weights
from training.colorize import WEIGHTS, freeze, optimiser_for
from training.colour_loss import colour_loss, count_colours, measure, rarity_of, validation_squares
from training.colour_photos import batches, bears_colour
from training.compare_colorizers import report
from training.fine_tuning import DATA
from training.folder import FolderSplit, Source, split_folder
from training.loop import Progress, make_repeatable, train
from training.perception import Perception, load_perception

SIDE, BATCH = 192, 8
RATE, ENCODER_RATE = 1e-4, 3e-5
COUNTED = 500  # photos from which the rarity of colours is taken
VALIDATED = 96  # photos that are looked at ten times


class Best:
    """Keeps the weights with the lowest validation score: a small folder is soon overfitted."""

    def __init__(self, network: LiteGenerator, path: Path) -> None:
        self.network, self.path = network, path
        scores = path.with_suffix(".json")
        self.score = float(json.loads(scores.read_text())) if scores.exists() else float("inf")

    def look(self, score: float) -> float:
        if score < self.score:
            self.score = score
            write_weights(self.path, self.network, {})
            self.path.with_suffix(".json").write_text(json.dumps(score))
        return score


def fine_tune(
    network: LiteGenerator,
    perception: Perception,
    split: FolderSplit,
    run: Path,
    minutes: float,
    device: torch.device,
) -> Progress:
    """Train on the split's first part for `minutes`; `run / "tuned.safetensors"` has the best."""
    freeze(network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    photos = split.training
    rarity = rarity_of(count_colours(photos[:: len(photos) // COUNTED + 1])).to(device)
    held_out = validation_squares(split.validation, VALIDATED, SIDE)
    best = Best(network, run / "tuned.safetensors")
    best.look(measure(network, held_out, device))  # what it starts from, should nothing be better
    network.train()
    return train(
        network,
        optimiser_for(network, RATE, ENCODER_RATE),
        batches(photos, SIDE, min(BATCH, len(photos)), 5, device),
        lambda squares: colour_loss(network, perception, rarity, squares),
        lambda: best.look(measure(network, held_out, device)),
        minutes,
        run,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="photos (JPEG, PNG), in subfolders or not")
    parser.add_argument("--source", type=Source, default=Source.STEM, choices=list(Source))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--run", type=Path, default=Path("runs/fine-tuned"))
    parser.add_argument("--report", type=Path, help="default: the run's own folder")
    parser.add_argument("--data", type=Path, default=DATA, help="the backbones")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="to start from")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    make_repeatable()
    arguments.run.mkdir(parents=True, exist_ok=True)
    (arguments.run / "settings.json").write_text(json.dumps(vars(arguments), indent=2, default=str))
    split = split_folder(arguments.folder, arguments.source, bears_colour)
    sizes = {name: len(part) for name, part in vars(split).items()}
    print(sizes)
    perception = load_perception(arguments.data).to(arguments.device)
    network = LiteGenerator()
    read_weights(arguments.weights, network)
    device = torch.device(arguments.device)
    progress = fine_tune(network, perception, split, arguments.run, arguments.minutes, device)
    tuned, before = LiteGenerator(), LiteGenerator()
    read_weights(arguments.run / "tuned.safetensors", tuned)
    read_weights(arguments.weights, before)
    target = arguments.report or arguments.run
    report(before, tuned, perception.cpu(), split.test, progress, sizes, target)
    print(f"{progress.step} steps → {arguments.run / 'tuned.safetensors'}, report in {target}")


if __name__ == "__main__":
    main()
