"""Train the toner: `python -m training.tone`.

Degrades light and colour of clean photos and learns the tone map that undoes the defects asked for,
and only those. Writes `model-store/weights/tone.safetensors`; `python -m training.evaluate_tone`
makes the report.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import THUMBNAIL_PX, statistics_of
from darkroom.networks.tone import MENDED, ToneNetwork, asked_vector
from darkroom.networks.weights import write_weights
from training.degradations import Recipe, degrade_light, draw_recipe
from training.degradations.recipe import to_pixels
from training.fine_tuning import begin, prepare
from training.loop import train
from training.photos import TrainingPhotos, endless, find_photos, read_pixels
from training.samples import reframe

WEIGHTS = Path("model-store/weights/tone.safetensors")
BATCH = 32


@dataclass(frozen=True)
class Pair:
    """A degraded thumbnail, the defects asked for, and the thumbnail without those."""

    thumbnail: Pixels  # (192, 192, 3) uint8
    asked: np.ndarray  # (5,) float32
    target: Pixels


def make_pair(clean: Pixels, recipe: Recipe, asked: frozenset[Defect]) -> Pair:
    """Degrade at the thumbnail's size: tone maps act on pixels one by one, so size is no matter."""
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    shrunk = cv2.resize(clean, size, interpolation=cv2.INTER_AREA)
    small = np.asarray(shrunk, np.float32) / np.float32(255)
    degraded = degrade_light(small, recipe).picture
    target = degrade_light(small, recipe.without(asked)).picture
    return Pair(to_pixels(degraded), asked_vector(asked), to_pixels(target))


def draw_asked(rng: np.random.Generator, present: frozenset[Defect]) -> frozenset[Defect]:
    """Mostly what is there; sometimes part of it; sometimes what is not there at all."""
    kind = rng.random()
    some = frozenset(d for d in MENDED if rng.random() < 0.3)
    if kind < 0.5:
        return present
    if kind < 0.75:
        return present | some
    return some


def batches(photos: tuple[Path, ...], rng: np.random.Generator) -> Iterator[list[Pair]]:
    paths = endless(photos, rng)
    while True:
        pairs = []
        for _ in range(BATCH):
            recipe = draw_recipe(rng, MENDED)
            asked = draw_asked(rng, frozenset(recipe.severities))
            pairs.append(make_pair(reframe(read_pixels(next(paths)), rng, 0.7), recipe, asked))
        yield pairs


def mend(curves: Tensor, grid: Tensor, thumbnails: Tensor) -> Tensor:
    """Apply tone maps as `apply_tone_map` does, differentiably and without clipping.

    curves (N, 3, 256), grid (N, 8, 8, 3, 4), thumbnails (N, H, W, 3) uint8 → (N, 3, H, W) float32.
    """
    levels = thumbnails.permute(0, 3, 1, 2).flatten(2).long()
    size = thumbnails.shape[1:3]
    curved = torch.gather(curves, 2, levels).reshape(-1, 1, 3, *size)
    grid = grid.flatten(3).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size, mode="bilinear", align_corners=False)
    transforms = grid.reshape(-1, 3, 4, *size)
    mended: Tensor = (transforms[:, :, :3] * curved).sum(dim=2) + transforms[:, :, 3]
    return mended


def stack(pairs: list[Pair]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(np.stack([pair.thumbnail for pair in pairs])),
        torch.from_numpy(np.stack([statistics_of(pair.thumbnail) for pair in pairs])),
        torch.from_numpy(np.stack([pair.asked for pair in pairs])),
        torch.from_numpy(np.stack([pair.target for pair in pairs])),
    )


def errors_of(network: ToneNetwork, pairs: list[Pair]) -> tuple[Tensor, Tensor]:
    """Mean squared and mean absolute error of each picture, (N,) each."""
    thumbnails, statistics, asked, target = stack(pairs)
    curves, grid = network(thumbnails, statistics, asked)
    # A quarter of the pixels judges a tone map as well as all of them, at a quarter of the cost.
    thumbnails, target = thumbnails[:, ::2, ::2], target[:, ::2, ::2]
    mended = mend(curves, grid, thumbnails)
    # Beyond black and white the error counts a little: clipping must not stop the gradient.
    mended = mended.clamp(0, 1) + 0.05 * (mended - mended.clamp(0, 1))
    difference = mended - target.permute(0, 3, 1, 2).float() / 255
    return difference.square().mean(dim=(1, 2, 3)), difference.abs().mean(dim=(1, 2, 3))


def loss_of(network: ToneNetwork, pairs: list[Pair]) -> Tensor:
    """Mean over the photos of the root mean squared error, softened below 46 dB.

    Not PSNR itself: its logarithm rewards photos that are left alone so much more than photos that
    are mended a little that nothing but the identity is ever learned.
    """
    squared, absolute = errors_of(network, pairs)
    return 5 * (squared + 2.5e-5).sqrt().mean() + absolute.mean()


def validation_pairs(photos: TrainingPhotos, count: int) -> list[Pair]:
    chosen = photos.validation[:: max(1, len(photos.validation) // count)]
    pairs = []
    for path in chosen:
        clean = read_pixels(path)
        pairs.append(make_pair(clean, Recipe({}, 0), frozenset()))
        pairs += [
            make_pair(clean, Recipe({defect: severity}, seed), frozenset({defect}))
            for seed, defect in enumerate(MENDED)
            for severity in (0.4, 0.8)
        ]
    return pairs


@torch.no_grad()
def mean_loss(network: ToneNetwork, pairs: list[Pair]) -> float:
    """Minus the mean PSNR in dB; prints the PSNR of clean photos and defect by defect."""
    squared = torch.cat(
        [errors_of(network, pairs[i : i + 44])[0] for i in range(0, len(pairs), 44)]
    )
    psnr = -10 * torch.log10(squared + 1e-6)
    rows = psnr.reshape(-1, 1 + 2 * len(MENDED)).mean(dim=0).tolist()
    print(
        f"clean {rows[0]:.1f}",
        {d.value: [round(r, 1) for r in rows[1 + 2 * i : 3 + 2 * i]] for i, d in enumerate(MENDED)},
    )
    return -float(psnr.mean())


def main() -> None:
    run = begin("tone", __doc__)
    photos = find_photos(run.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    network = ToneNetwork()
    optimiser = prepare(network, run.data)
    held_out = validation_pairs(photos, 40)
    progress = train(
        network,
        optimiser,
        batches(photos.training, np.random.default_rng(1)),
        lambda batch: loss_of(network, batch),
        lambda: mean_loss(network, held_out),
        run.minutes,
        run.folder,
    )
    write_weights(WEIGHTS, network, {})
    print(f"{progress.step} steps, score {progress.scores[-1][1]:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
