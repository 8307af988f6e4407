"""The part of the defect classifier that sees casts, fitted behind a trunk that is trained.

It has photos of its own: their light may be poor as long as it has no colour. With a frozen trunk
a photo has to be looked at once only, at a thumbnail's size. `python -m training.casts` fits this
part of the weights that are there, `python -m training.defects` the whole classifier.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import THUMBNAIL_PX, chroma_of, colours_of, statistics_of
from darkroom.networks.casts import CastNetwork
from darkroom.networks.trunk import Trunk
from darkroom.networks.weights import write_weights
from training.degradations import Recipe, degrade_light
from training.degradations.cast import draw_light
from training.degradations.recipe import amount_of, to_pixels
from training.degradations.sensor import noisy
from training.fine_tuning import begin, read_classifier
from training.loop import fit
from training.photos import endless, find_untinted, read_pixels
from training.samples import reframe, severity_loss

WEIGHTS = Path("model-store/weights/defects.safetensors")
POOL = 22_500  # degraded photos
BATCH = 32  # of the trunk
# Shares of the photos. Neither darkness nor haze nor noise has a colour, and they must not seem to.
TINTED, DIMMED, BOTH = 0.35, 0.2, 0.25
NOISY = 0.25
DIM = (Defect.LOW_LIGHT, Defect.LOW_CONTRAST, Defect.HAZY, Defect.GLARING)
EPOCHS, FIT_BATCH, RATE, DECAY = 10, 128, 2e-3, 2e-2


@dataclass(frozen=True)
class Pool:
    """What `CastNetwork.forward` takes of each photo, its true severity (N,) and light (N, 2)."""

    known: Tensor
    chroma: Tensor
    severity: Tensor
    light: Tensor


def draw_lit(rng: np.random.Generator) -> Recipe:
    """A cast, another defect of the light, both or neither."""
    kind = rng.random()
    severities: dict[Defect, float] = {}
    if kind < TINTED + BOTH:
        severities[Defect.POOR_WHITE_BALANCE] = float(rng.uniform(0.05, 1))
    if TINTED < kind < TINTED + BOTH + DIMMED:
        severities[DIM[int(rng.integers(len(DIM)))]] = float(rng.uniform(0.1, 1))
    return Recipe(severities, int(rng.integers(1 << 31)))


def make_lit(
    clean: Pixels, recipe: Recipe, rng: np.random.Generator
) -> tuple[Pixels, float, np.ndarray]:
    """A thumbnail, the severity of the cast that shows in it, and its light (2,)."""
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    small = cv2.resize(clean, size, interpolation=cv2.INTER_AREA)
    lit = degrade_light(np.asarray(small, np.float32) / np.float32(255), recipe)
    picture = lit.picture
    if rng.random() < NOISY:
        picture = noisy(picture, float(rng.uniform(0.1, 0.65)), rng)
    asked, own = amount_of(recipe, Defect.POOR_WHITE_BALANCE)
    light = draw_light(asked, own) * (lit.cast / max(asked, 1e-6))
    return to_pixels(picture), lit.cast, light


@torch.no_grad()
def measure_casts(
    trunk: Trunk, photos: tuple[Path, ...], rng: np.random.Generator, count: int = POOL
) -> Pool:
    """Degrade and look at `count` photos."""
    paths = endless(photos, rng)
    parts = []
    for _ in range(count // BATCH):
        made = [
            make_lit(reframe(read_pixels(next(paths)), rng, 0.75), draw_lit(rng), rng)
            for _ in range(BATCH)
        ]
        thumbnails = torch.from_numpy(np.stack([thumbnail for thumbnail, _, _ in made]))
        told = np.stack([np.concatenate([statistics_of(t), colours_of(t)]) for t, _, _ in made])
        chroma = np.stack([chroma_of(t) for t, _, _ in made])
        truth = np.asarray([[severity, *light] for _, severity, light in made], np.float32)
        seen = trunk(thumbnails).mean(dim=(2, 3))
        known = torch.cat([seen, torch.from_numpy(told)], dim=1)
        # Half precision: in single, the histograms of all photos are 600 MB.
        parts.append((known, torch.from_numpy(chroma).half(), torch.from_numpy(truth)))
    known, chromas, truths = (torch.cat(part) for part in zip(*parts, strict=True))
    return Pool(known, chromas, truths[:, 0], truths[:, 1:])


def train_casts(casts: CastNetwork, pool: Pool, epochs: int = EPOCHS) -> float:
    """Fit to what was measured; returns the last epoch's mean loss."""
    casts.known_mean.copy_(pool.known.mean(dim=0))
    casts.known_spread.copy_(pool.known.std(dim=0) + 1e-2)

    def loss_of(index: Tensor) -> Tensor:
        seen = casts(pool.known[index], pool.chroma[index].float())
        light = F.smooth_l1_loss(seen[:, 1:], pool.light[index], beta=0.1)
        return severity_loss(seen[:, 0], pool.severity[index]) + light

    casts.train()  # with dropout
    mean = fit((casts,), loss_of, len(pool.severity), epochs, FIT_BATCH, RATE, DECAY)
    casts.eval()
    return mean


def main() -> None:
    run = begin("defects", __doc__)
    network, notes = read_classifier(WEIGHTS)
    photos = find_untinted(run.data).training
    pool = measure_casts(network.trunk, photos, np.random.default_rng(4))
    loss = train_casts(network.casts, pool)
    write_weights(WEIGHTS, network, notes)
    print(f"loss on casts {loss:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
