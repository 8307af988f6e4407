"""Train the defect classifier: `python -m training.defects`.

Reads the photos under `--data`, degrades them on the fly, fine-tunes an ImageNet trunk and writes
`model-store/weights/defects.safetensors`. `python -m training.evaluate_defects` fits the thresholds
and makes the report.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.jpeg import read_coding
from darkroom.imaging.photo import Format, Photo, Pixels
from darkroom.imaging.views import Views, take_views
from darkroom.networks.defects import COLUMNS, IN_PATCHES, DefectNetwork, stack_views
from darkroom.networks.weights import write_weights
from training.degradations import Degraded, Recipe, compression, degrade, draw_recipe
from training.degradations.recipe import to_pixels
from training.fine_tuning import begin, in_bfloat16, prepare
from training.loop import train
from training.photos import TrainingPhotos, endless, find_photos, read_pixels, recolour

WEIGHTS = Path("model-store/weights/defects.safetensors")
BATCH = 32


@dataclass(frozen=True)
class Sample:
    views: Views
    severities: np.ndarray  # (9,) in the order of COLUMNS
    tilt: float  # signed, 1 is the steepest


def as_photo(degraded: Degraded, rng: np.random.Generator) -> Photo:
    """Wrap degraded pixels as the service would receive them: half of them as a fine JPEG."""
    payload = degraded.payload
    pixels = degraded.pixels
    if payload is None and rng.random() < 0.5:
        payload = compression.compress(pixels, int(rng.integers(88, 98)))
        pixels = compression.expand(payload)
    if payload is None:
        return Photo(pixels, Format.PNG)
    return Photo(pixels, Format.JPEG, quantisation=read_coding(payload).quantisation)


def jitter(clean: Pixels, rng: np.random.Generator) -> Pixels:
    """Vary what is no defect: framing, mirror image, a camera's mild softness and grain."""
    height, width = clean.shape[:2]
    share = rng.uniform(0.75, 1.0, 2)
    h, w = int(height * share[0]), int(width * share[1])
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    picture = recolour(clean[y : y + h, x : x + w], rng)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.5:  # a large photo's pixels are softer than a small one's
        scale = rng.uniform(1.0, 1.5)
        size = (int(w * scale), int(h * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.4:
        grain = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(
            rng.uniform(0, 1.5)
        )
        picture = to_pixels(((picture + grain) / 255).astype(np.float32))
    return np.ascontiguousarray(picture)


def make_sample(clean: Pixels, recipe: Recipe, rng: np.random.Generator) -> Sample:
    degraded = degrade(clean, recipe)
    views = take_views(as_photo(degraded, rng))
    if rng.random() < 0.5 and any(d in recipe.severities for d in IN_PATCHES):
        # On a large photo's thumbnail noise, blur and blocks have been averaged away.
        large = degrade(clean, recipe.without(IN_PATCHES)).pixels
        framed = take_views(Photo(large, Format.PNG))
        views = replace(framed, patches=views.patches, evidence=views.evidence)
    severities = np.asarray([degraded.severities[d] for d in COLUMNS], np.float32)
    return Sample(views, severities, degraded.degrees / 10)


def batches(photos: tuple[Path, ...], rng: np.random.Generator) -> Iterator[list[Sample]]:
    paths = endless(photos, rng)
    while True:
        yield [
            make_sample(jitter(read_pixels(next(paths)), rng), draw_recipe(rng), rng)
            for _ in range(BATCH)
        ]


def loss_of(network: DefectNetwork, batch: list[Sample]) -> Tensor:
    """Cross entropy with the severity as a soft target, its absolute error, the tilt's error."""
    views = [torch.from_numpy(array) for array in stack_views([s.views for s in batch])]
    thumbnails, patches, statistics, lines, evidence = views
    truth = torch.from_numpy(np.stack([sample.severities for sample in batch]))
    tilt = torch.tensor([sample.tilt for sample in batch], dtype=torch.float32)
    frame = network.see_frame(thumbnails, statistics, lines)
    logits = torch.cat(
        [network.frame_head(frame), network.grain_head(network.see_grain(patches, evidence))], dim=1
    )
    turned = F.smooth_l1_loss(network.tilt_head(frame)[:, 0], tilt, beta=0.1)
    error = (torch.sigmoid(logits) - truth).abs().mean()
    return F.binary_cross_entropy_with_logits(logits, truth) + 2 * error + turned


def validation_samples(photos: TrainingPhotos, count: int) -> list[Sample]:
    rng = np.random.default_rng(7)
    chosen = photos.validation[:: max(1, len(photos.validation) // count)]
    samples = []
    for path in chosen:
        clean = read_pixels(path)
        samples.append(make_sample(clean, Recipe({}, 0), rng))
        for seed, defect in enumerate(Defect):
            recipe = Recipe({defect: float(rng.choice((0.4, 0.8)))}, seed)
            samples.append(make_sample(clean, recipe, rng))
    return samples


@torch.no_grad()
def mean_error(network: DefectNetwork, samples: list[Sample]) -> float:
    """Mean absolute error of the severities; prints it defect by defect."""
    errors = []
    for start in range(0, len(samples), 64):
        part = samples[start : start + 64]
        arrays = [torch.from_numpy(array) for array in stack_views([s.views for s in part])]
        truth = np.stack([sample.severities for sample in part])
        errors.append(np.abs(torch.sigmoid(network(*arrays)).numpy() - truth))
    by_defect = np.concatenate(errors).mean(axis=0)
    print({d.value: round(float(e), 3) for d, e in zip(COLUMNS, by_defect, strict=True)})
    return float(by_defect.mean())


def main() -> None:
    run = begin("defects", __doc__)
    photos = find_photos(run.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    network = DefectNetwork()
    optimiser = prepare(network, run.data)
    in_bfloat16(network.texture)
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
    unfitted = json.dumps({defect.value: 0.3 for defect in Defect})
    write_weights(WEIGHTS, network, {"thresholds": unfitted})
    print(f"{progress.step} steps, score {progress.scores[-1][1]:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
