"""Train the toner: `python -m training.tone`.

Degrades light and colour of clean photos and learns the tone map that undoes the defects asked for,
and only those. `--further` trains on with photos that have been through the trained `restore`, then
goes half the way there. Both write `model-store/weights/tone.safetensors`, and `python -m
training.evaluate_tone` makes the report.
"""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.views import statistics_of
from darkroom.inference.restore import Restorer, load_restorer
from darkroom.networks.tone import MENDED, ToneNetwork
from darkroom.networks.weights import write_weights
from training.averaging import approach
from training.degradations import Recipe
from training.fine_tuning import begin, prepare
from training.loop import train
from training.photos import TrainingPhotos, find_photos, read_pixels
from training.restore import WEIGHTS as RESTORE_WEIGHTS
from training.tone_pairs import Pair, batches, make_coarse_pair, make_pair

WEIGHTS = Path("model-store/weights/tone.safetensors")
BACK = 0.5  # share of the way from further trained weights: all of it cost dark rooms highlights
DARK = Recipe({Defect.LOW_LIGHT: 0.6, Defect.NOISY: 0.6}, 1)  # validated restored


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


def stack(pairs: list[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """What the network is given."""
    return (
        torch.from_numpy(np.stack([pair.seen for pair in pairs])),
        torch.from_numpy(np.stack([statistics_of(pair.seen) for pair in pairs])),
        torch.from_numpy(np.stack([pair.asked for pair in pairs])),
    )


def errors_of(network: ToneNetwork, pairs: list[Pair]) -> tuple[Tensor, Tensor]:
    """Mean squared and mean absolute error of each picture, (N,) each."""
    curves, grid = network(*stack(pairs))
    # A quarter of the pixels judges a tone map as well as all of them, at a quarter of the cost.
    start = torch.from_numpy(np.stack([pair.start[::2, ::2] for pair in pairs]))
    target = torch.from_numpy(np.stack([pair.target[::2, ::2] for pair in pairs]))
    mended = mend(curves, grid, start)
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


def validation_pairs(photos: TrainingPhotos, count: int, restorer: Restorer) -> list[Pair]:
    """Of each photo: clean, each defect at two severities, dark and noisy but restored."""
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
        pairs.append(make_coarse_pair(clean, DARK, frozenset({Defect.LOW_LIGHT}), restorer))
    return pairs


@torch.no_grad()
def mean_loss(network: ToneNetwork, pairs: list[Pair]) -> float:
    """Minus the mean PSNR in dB; prints that of clean and restored photos and by defect."""
    squared = torch.cat(
        [errors_of(network, pairs[i : i + 44])[0] for i in range(0, len(pairs), 44)]
    )
    psnr = -10 * torch.log10(squared + 1e-6)
    rows = psnr.reshape(-1, 2 + 2 * len(MENDED)).mean(dim=0).tolist()
    print(
        f"clean {rows[0]:.1f}, dark and restored {rows[-1]:.1f}",
        {d.value: [round(r, 1) for r in rows[1 + 2 * i : 3 + 2 * i]] for i, d in enumerate(MENDED)},
    )
    return -float(psnr.mean())


def main() -> None:
    run = begin("tone", __doc__)
    photos = find_photos(run.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    network = ToneNetwork()
    optimiser = prepare(network, run)
    before = deepcopy(network)
    restorer = load_restorer(RESTORE_WEIGHTS, "cpu")
    held_out = validation_pairs(photos, 40, restorer)
    progress = train(
        network,
        optimiser,
        batches(photos.training, restorer if run.further else None, np.random.default_rng(1)),
        lambda batch: loss_of(network, batch),
        lambda: mean_loss(network, held_out),
        run.minutes,
        run.folder,
    )
    if run.further:
        approach(network, before, BACK)
    write_weights(WEIGHTS, network, {})
    print(f"{progress.step} steps, score {progress.scores[-1][1]:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
