"""The part of the defect classifier that sees darkness, taught by the toner.

Photos that are made dark are not all there is: a room against its bright window, or one of black
furniture, has every level from black to white, and whoever has only seen good photos and dimmed
ones takes it for good. The toner has learned to leave good photos alone, so that the light which it
would give a real photo tells how much is missing there. `python -m training.darkness` fits this
part behind the trunk of the weights that are there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Format, Photo, Pixels
from darkroom.imaging.tone_map import apply_tone_map
from darkroom.imaging.views import IN_THUMBNAIL, Views, stack_views, take_views
from darkroom.inference.tone import Toner, load_toner
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.weights import write_weights
from training.defects import WEIGHTS, make_sample
from training.degradations import Recipe, degrade, draw_recipe
from training.degradations.exposure import STOPS
from training.degradations.light import LUMA, to_linear
from training.fine_tuning import begin, read_classifier
from training.loop import fit
from training.photos import endless, find_photos, find_whatever_is_lit, read_pixels
from training.samples import jitter, severity_loss

TONER = Path("model-store/weights/tone.safetensors")
REAL, SPOILT = 8_000, 4_800  # photos
BATCH = 32  # of the trunk
DIMMED, MOST_DIMMED = 0.6, 0.35  # share of the real photos that are also dimmed, and severity
GIVEN_BACK = 0.8  # of the light that is missing, what the toner gives back on the average
EPOCHS, FIT_BATCH, RATE, DECAY = 20, 128, 1.5e-3, 2e-2

Look = Callable[[Pixels, np.random.Generator], tuple[Views, float]]  # a photo's severity, too


@dataclass(frozen=True)
class Pool:
    """What is known of each photo's frame (N, 462) and how dark it is (N,), as a severity."""

    facts: Tensor
    severity: Tensor


def missing_light(toner: Toner, thumbnail: Pixels) -> float:
    """The severity of `low_light` in a thumbnail (192, 192, 3): the stops the toner would add."""
    (tone_map,) = toner.plan([(thumbnail, frozenset({Defect.LOW_LIGHT}))])
    before, after = _light_of(thumbnail), _light_of(apply_tone_map(thumbnail, tone_map))
    stops = float(np.log2(after / before).mean())
    return float(np.clip(stops / STOPS / GIVEN_BACK, 0, 1))


def _light_of(pixels: Pixels) -> np.ndarray:
    luminance = to_linear((pixels / 255).astype(np.float32)) @ LUMA
    return np.asarray(luminance + 0.002)  # black stays black, however many stops it is lifted


def look_at_real(toner: Toner) -> Look:
    """Look at photos as they are, or slightly dimmed, and believe the toner."""

    def look(pixels: Pixels, rng: np.random.Generator) -> tuple[Views, float]:
        if rng.random() < DIMMED:
            severity = float(rng.uniform(0, MOST_DIMMED))
            recipe = Recipe({Defect.LOW_LIGHT: severity}, int(rng.integers(1 << 31)))
            pixels = degrade(pixels, recipe).pixels
        views = take_views(Photo(pixels, Format.PNG))
        return views, missing_light(toner, views.thumbnail)

    return look


def look_at_spoilt(pixels: Pixels, rng: np.random.Generator) -> tuple[Views, float]:
    """Spoil a good photo in any ways: how dark it was made is known."""
    sample = make_sample(pixels, draw_recipe(rng), rng)
    return sample.views, float(sample.severities[IN_THUMBNAIL.index(Defect.LOW_LIGHT)])


@torch.no_grad()
def measure(
    network: DefectNetwork,
    photos: tuple[Path, ...],
    look: Look,
    rng: np.random.Generator,
    count: int,
) -> Pool:
    """Look at `count` photos."""
    paths, facts, severities = endless(photos, rng), list[Tensor](), list[float]()
    for _ in range(count // BATCH):
        looks = [look(jitter(read_pixels(next(paths)), rng), rng) for _ in range(BATCH)]
        arrays = stack_views([views for views, _ in looks])
        facts.append(network.find_facts(*(torch.from_numpy(each) for each in arrays[:4])))
        severities += [severity for _, severity in looks]
    return Pool(torch.cat(facts), torch.tensor(severities))


def train_darkness(network: DefectNetwork, *pools: Pool, epochs: int = EPOCHS) -> float:
    """Fit to what was measured; returns the last epoch's mean loss."""
    facts = torch.cat([pool.facts for pool in pools])
    truth = torch.cat([pool.severity for pool in pools])

    def loss_of(index: Tensor) -> Tensor:
        return severity_loss(network.judge_darkness(facts[index]), truth[index])

    network.darkness.train()  # with dropout
    mean = fit((network.darkness,), loss_of, len(truth), epochs, FIT_BATCH, RATE, DECAY)
    network.darkness.eval()
    return mean


def main() -> None:
    run = begin("defects", __doc__)
    network, notes = read_classifier(WEIGHTS)
    toner, rng = load_toner(TONER, "cpu"), np.random.default_rng(5)
    lit = find_whatever_is_lit(run.data).training
    real = measure(network, lit, look_at_real(toner), rng, REAL)
    spoilt = measure(network, find_photos(run.data).training, look_at_spoilt, rng, SPOILT)
    loss = train_darkness(network, real, spoilt)
    write_weights(WEIGHTS, network, notes)
    print(f"loss on darkness {loss:.3f} → {WEIGHTS}")


if __name__ == "__main__":
    main()
