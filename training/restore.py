"""Train the restorer: `python -m training.restore [--device cuda]`.

Spoils clean photos with noise, blur and JPEG and learns the correction that takes away those asked
for. Writes `model-store/weights/restore.safetensors`; `python -m training.evaluate_restore` makes
the report.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.networks.restore import MENDED, RestoreNetwork
from darkroom.networks.weights import write_weights
from training.damage import CROP_PX, Damage, Pair, draw_pairs, spoil
from training.degradations import compression
from training.degradations.sensor import severity_of
from training.fine_tuning import DATA
from training.loop import make_repeatable, train
from training.photos import Row, TrainingPhotos, read_pixels, split_photos

WEIGHTS = Path("model-store/weights/restore.safetensors")
BATCH, RATE = 8, 1e-3
SHARPEST_ONLY = 18.0  # standard deviation of the Laplacian from which a photo is a sharp target
CHECK_PX = 128
# What the bounds are stated for: a name, and the flaw in its severity.
CHECKS: dict[str, tuple[Defect, float]] = {
    **{f"noise {s}": (Defect.NOISY, severity_of(s)) for s in (10, 25, 50)},
    **{f"jpeg {q}": (Defect.JPEG_ARTIFACTS, compression.severity_of(q)) for q in (10, 20, 40)},
    "blur 0.4": (Defect.BLUR, 0.4),
}


def find_sharp(data: Path) -> TrainingPhotos:
    """List the photos under `data` that are sharp and clean pixel by pixel, split by source.

    However dark or tinted: that is no matter here. The squeezed and compressed rooms of Places are
    none of these.
    """

    def is_sharp(path: Path, row: Row) -> bool:
        squeezed = path.parent.name == "places-rooms"
        return not squeezed and float(row["laplacian_std_256"]) >= SHARPEST_ONLY

    return split_photos(data, is_sharp)


def stack(pairs: list[Pair], device: str) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(np.stack([pair.damaged for pair in pairs])).to(device),
        torch.from_numpy(np.stack([pair.told for pair in pairs])).to(device),
        torch.from_numpy(np.stack([pair.target for pair in pairs])).to(device),
    )


def predict(network: RestoreNetwork, tiles: Tensor, told: Tensor) -> Tensor:
    """The network in bfloat16, as processors with matrix units and GPUs are fastest."""
    with torch.autocast(tiles.device.type, torch.bfloat16):
        return network(tiles, told).float()  # type: ignore[no-any-return]


def loss_of(network: RestoreNetwork, pairs: list[Pair], device: str) -> Tensor:
    """Mean over the crops of what is left of their error, against the root of what there was.

    Between the two extremes: as it is, the strongest noise would be all that is learned; in full
    proportion, that touching a clean photo is a sin, and for a thousand steps nothing else.
    """
    damaged, told, target = stack(pairs, device)
    correction = predict(network, damaged, told)
    wanted = target.float() - damaged.float()
    left = (correction - wanted).square().mean(dim=(1, 2, 3))
    there = wanted.square().mean(dim=(1, 2, 3))
    return ((left + 0.01).sqrt() / (there.sqrt() + 2.5).sqrt()).mean()


def batches(photos: list[Pixels], rng: np.random.Generator) -> Iterator[list[Pair]]:
    pairs = draw_pairs(photos, rng)
    while True:
        yield list(islice(pairs, BATCH))


def validation_pairs(photos: tuple[Path, ...], count: int) -> list[Pair]:
    """Centres of held-out photos: clean, and with each flaw of the bounds."""
    pairs = []
    for seed, path in enumerate(photos[:: max(1, len(photos) // count)]):
        pixels = read_pixels(path)
        y, x = ((side - CHECK_PX) // 2 for side in pixels.shape[:2])
        clean = pixels[y : y + CHECK_PX, x : x + CHECK_PX]
        pairs.append(Pair(clean, np.full(len(MENDED), 0.15, np.float32), clean))
        for defect, severity in CHECKS.values():
            told = np.asarray([severity if d is defect else 0 for d in MENDED], np.float32)
            pairs.append(Pair(spoil(clean, Damage({defect: severity}, seed)), told, clean))
    return pairs


@torch.no_grad()
def check(network: RestoreNetwork, pairs: list[Pair], device: str) -> float:
    """Minus the mean gain in PSNR, dB; prints that of each flaw, and the PSNR of clean photos."""
    rows = []
    for index in range(0, len(pairs), 16):
        damaged, told, target = stack(pairs[index : index + 16], device)
        restored = (damaged + predict(network, damaged, told)).clamp(0, 255).round()
        for result in (restored, damaged):
            error = (result.float() - target.float()).square().mean(dim=(1, 2, 3))
            rows.append(-10 * torch.log10(error / 255**2 + 1e-6))
    after, before = torch.cat(rows[::2]), torch.cat(rows[1::2])
    columns = len(CHECKS) + 1
    gains = (after - before).reshape(-1, columns).mean(dim=0).tolist()
    print(f"clean {float(after[::columns].mean()):.1f} dB", end="")
    for name, gain in zip(CHECKS, gains[1:], strict=True):
        print(f"  {name} {gain:+.2f}", end="")
    print()
    return -float(np.mean(gains[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="photos and index")
    parser.add_argument("--minutes", type=float, default=110, help="wall time of the training")
    parser.add_argument(
        "--run", type=Path, default=Path("runs/restore"), help="checkpoints, losses"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where they are written")
    parser.add_argument("--device", default="cpu", help='"cpu" or "cuda"')
    arguments = parser.parse_args()
    make_repeatable()
    photos = find_sharp(arguments.data)
    print(f"{len(photos.training)} photos to train on, {len(photos.validation)} held out")
    loaded = [read_pixels(path) for path in photos.training]
    loaded = [pixels for pixels in loaded if min(pixels.shape[:2]) >= 2 * CROP_PX]
    device = arguments.device
    network = RestoreNetwork().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4, fused=True)
    held = validation_pairs(photos.validation, 16)
    progress = train(
        network,
        optimiser,
        batches(loaded, np.random.default_rng()),  # resumed, it must not see the same crops again
        lambda batch: loss_of(network, batch, device),
        lambda: check(network, held, device),
        arguments.minutes,
        arguments.run,
    )
    write_weights(arguments.weights, network, {})
    print(f"{progress.step} steps → {arguments.weights}")


if __name__ == "__main__":
    main()
