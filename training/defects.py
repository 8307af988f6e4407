"""Train the defect classifier: `python -m training.defects`.

Reads the photos under `--data`, degrades them on the fly and trains the two halves of the network,
which share nothing: an ImageNet trunk over thumbnails in this module, with the layers behind it
once more in `training.frame` and those for casts in `training.casts`, and the small network over
texture in `training.grain`. Writes `model-store/weights/defects.safetensors`; there, once there is
a toner, `python -m training.darkness` fits the layers for darkness, and `python -m
training.evaluate_defects` the thresholds, with a report. `--minutes 0` keeps the trunk of the
weights that are there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Format, Photo, Pixels
from darkroom.imaging.views import IN_PATCHES, IN_THUMBNAIL, Views, stack_views, take_views
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.weights import write_weights
from training.casts import WEIGHTS as WEIGHTS
from training.casts import measure_casts, train_casts
from training.degradations import Recipe, degrade, draw_recipe
from training.degradations.geometry import STEEPEST_DEGREES
from training.fine_tuning import Run, begin, prepare, read_classifier
from training.frame import train_judgement
from training.grain import EPOCHS, measure_texture, train_grain
from training.loop import train
from training.photos import TrainingPhotos, endless, find_photos, find_untinted, read_pixels
from training.samples import as_photo, jitter, severity_loss

BATCH = 32
POOL = 16_000  # degraded photos for the dense layers


@dataclass(frozen=True)
class Sample:
    views: Views
    severities: np.ndarray  # (6,) in the order of IN_THUMBNAIL
    tilt: float  # signed, 1 is the steepest


def make_sample(clean: Pixels, recipe: Recipe, rng: np.random.Generator) -> Sample:
    if rng.random() < 0.5:
        # On a large photo's thumbnail noise, blur and blocks have been averaged away.
        recipe = recipe.without(IN_PATCHES)
        degraded = degrade(clean, recipe)
        photo = Photo(degraded.pixels, Format.PNG)
    else:
        degraded = degrade(clean, recipe)
        photo = as_photo(degraded, rng)
    severities = np.asarray([degraded.severities[d] for d in IN_THUMBNAIL], np.float32)
    return Sample(take_views(photo), severities, degraded.degrees / STEEPEST_DEGREES)


def batches(photos: tuple[Path, ...], rng: np.random.Generator) -> Iterator[list[Sample]]:
    paths = endless(photos, rng)
    while True:
        yield [
            make_sample(jitter(read_pixels(next(paths)), rng), draw_recipe(rng), rng)
            for _ in range(BATCH)
        ]


def find_facts(network: DefectNetwork, batch: list[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    """Facts (N, 462), true severities (N, 6) and signed tilt (N,)."""
    arrays = [torch.from_numpy(a) for a in stack_views([sample.views for sample in batch])]
    truth = torch.from_numpy(np.stack([sample.severities for sample in batch]))
    tilt = torch.tensor([sample.tilt for sample in batch], dtype=torch.float32)
    return network.find_facts(*arrays[:4]), truth, tilt


def loss_of(network: DefectNetwork, batch: list[Sample]) -> Tensor:
    """Error of the severities and of the signed tilt."""
    facts, truth, tilt = find_facts(network, batch)
    frame = network.judge_facts(facts)
    turned = network.tilt_head(frame)[:, 0]
    return severity_loss(network.frame_head(frame), truth) + F.smooth_l1_loss(
        turned, tilt, beta=0.1
    )


@torch.no_grad()
def measure_pool(
    network: DefectNetwork, samples: Iterator[list[Sample]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Look at `POOL` degraded photos once: their facts, severities and tilts."""
    seen = [find_facts(network, next(samples)) for _ in range(POOL // BATCH)]
    facts, truth, tilt = (torch.cat(parts) for parts in zip(*seen, strict=True))
    return facts, truth, tilt


def validation_samples(photos: TrainingPhotos, count: int) -> list[Sample]:
    rng = np.random.default_rng(7)
    chosen = photos.validation[:: max(1, len(photos.validation) // count)]
    samples = []
    for path in chosen:
        clean = read_pixels(path)
        samples.append(make_sample(clean, Recipe({}, 0), rng))
        for seed, defect in enumerate(IN_THUMBNAIL):
            recipe = Recipe({defect: float(rng.choice((0.4, 0.8)))}, seed)
            samples.append(make_sample(clean, recipe, rng))
    return samples


@torch.no_grad()
def mean_error(network: DefectNetwork, samples: list[Sample]) -> float:
    """Mean absolute error of the severities; prints it defect by defect."""
    errors = []
    for start in range(0, len(samples), 64):
        facts, truth, _ = find_facts(network, samples[start : start + 64])
        logits = network.frame_head(network.judge_facts(facts))
        errors.append((torch.sigmoid(logits) - truth).abs())
    by_defect = torch.cat(errors).mean(dim=0).tolist()
    print({d.value: round(e, 3) for d, e in zip(IN_THUMBNAIL, by_defect, strict=True)})
    return float(np.mean(by_defect))


def train_trunk(network: DefectNetwork, photos: TrainingPhotos, run: Run) -> None:
    optimiser = prepare(network, run)
    held_out = validation_samples(photos, 40)
    progress = train(
        network,
        optimiser,
        batches(photos.training, np.random.default_rng(1)),
        lambda batch: loss_of(network, batch),
        lambda: mean_error(network, held_out),
        run.minutes,
        run.folder,
    )
    print(f"{progress.step} steps, score {progress.scores[-1][1]:.3f}; now the dense layers")


def main() -> None:
    run = begin("defects", __doc__)
    photos = find_photos(run.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    if run.minutes:
        network = DefectNetwork()
        train_trunk(network, photos, run)
    else:
        network, _ = read_classifier(WEIGHTS)
    again = batches(photos.training, np.random.default_rng(2))
    train_judgement(network, *measure_pool(network, again))
    texture = measure_texture(photos.training, np.random.default_rng(3))
    loss = train_grain(network, texture, EPOCHS)
    untinted = find_untinted(run.data).training
    pool = measure_casts(network.trunk, untinted, np.random.default_rng(4))
    loss_on_casts = train_casts(network.casts, pool)
    unfitted = json.dumps({defect.value: 0.3 for defect in Defect})
    write_weights(WEIGHTS, network, {"thresholds": unfitted})
    print(f"loss on texture {loss:.3f}, on casts {loss_on_casts:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
