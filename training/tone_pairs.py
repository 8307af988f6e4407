"""The pairs that the toner learns from: what it sees, what it is asked for, what should come of it.

The noise of a dark photo tells how dark it was. A toner that never saw one without noise leaves
large photos too dark, in whose thumbnail it averages away, and those it gets to see restored only.
So in further training a third of the photos had noise, blur and JPEG traces that `restore` took.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import THUMBNAIL_PX
from darkroom.inference.restore import Restorer, told_vector
from darkroom.inference.tone import asked_vector
from darkroom.networks.tone import MENDED
from training.degradations import Recipe, degrade, degrade_light, draw_recipe
from training.degradations.recipe import to_pixels
from training.photos import endless, read_pixels
from training.samples import reframe

BATCH = 32
RESTORED, COARSE = 0.35, 0.2  # shares in further training; the rest is of light and colour alone
TEXTURE = MENDS[Enhancer.RESTORE]


@dataclass(frozen=True)
class Pair:
    """One thumbnail, (192, 192, 3) uint8 like the others, and the tone map's task.

    The map is predicted from `seen` and applied to `start`, and should give `target`. They differ
    where `seen` is noisy: mending that is no task of a tone map, which could only dull it.
    """

    seen: Pixels
    asked: np.ndarray  # (5,) float32
    start: Pixels
    target: Pixels


def make_pair(clean: Pixels, recipe: Recipe, asked: frozenset[Defect]) -> Pair:
    """Degrade at the thumbnail's size: tone maps act on pixels one by one, so size is no matter."""
    small = _shrink(clean)
    degraded = _lit(small, recipe)
    return Pair(degraded, asked_vector(asked), degraded, _lit(small, recipe.without(asked)))


def make_coarse_pair(
    clean: Pixels, recipe: Recipe, asked: frozenset[Defect], restorer: Restorer | None
) -> Pair:
    """The same where `recipe` has noise, blur and JPEG traces too: as they are, or restored."""
    small, light = _shrink(clean), recipe.without(TEXTURE)
    degraded = degrade(small, recipe)
    target = _lit(small, light.without(asked))
    if restorer is None:
        return Pair(degraded.pixels, asked_vector(asked), _lit(small, light), target)
    told = told_vector({defect: degraded.severities[defect] for defect in TEXTURE})
    (correction,) = restorer.correct(degraded.pixels[None], told[None])
    restored = np.clip(np.rint(degraded.pixels + correction), 0, 255).astype(np.uint8)
    return Pair(restored, asked_vector(asked), restored, target)


def _shrink(clean: Pixels) -> Pixels:
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    return np.asarray(cv2.resize(clean, size, interpolation=cv2.INTER_AREA), np.uint8)


def _lit(small: Pixels, recipe: Recipe) -> Pixels:
    picture = np.asarray(small, np.float32) / np.float32(255)
    return to_pixels(degrade_light(picture, recipe).picture)


def draw_asked(rng: np.random.Generator, present: frozenset[Defect]) -> frozenset[Defect]:
    """Mostly what is there; sometimes part of it; sometimes what is not there at all."""
    kind = rng.random()
    some = frozenset(d for d in MENDED if rng.random() < 0.3)
    if kind < 0.5:
        return present
    if kind < 0.75:
        return present | some
    return some


def with_texture(rng: np.random.Generator, recipe: Recipe) -> Recipe:
    texture = {d: float(rng.uniform(0.1, 0.8)) for d in TEXTURE if rng.random() < 0.5}
    return Recipe({**recipe.severities, **texture}, recipe.seed)


def batches(
    photos: tuple[Path, ...], restorer: Restorer | None, rng: np.random.Generator
) -> Iterator[list[Pair]]:
    """Endless batches; without a restorer all are degraded in light and colour alone."""
    paths = endless(photos, rng)
    while True:
        yield [_draw_pair(read_pixels(next(paths)), restorer, rng) for _ in range(BATCH)]


def _draw_pair(photo: Pixels, restorer: Restorer | None, rng: np.random.Generator) -> Pair:
    recipe = draw_recipe(rng, MENDED)
    asked = draw_asked(rng, frozenset(recipe.severities))
    clean = reframe(photo, rng, 0.7)
    kind = rng.random()
    if restorer is None or kind > RESTORED + COARSE:
        return make_pair(clean, recipe, asked)
    recipe = with_texture(rng, recipe)
    return make_coarse_pair(clean, recipe, asked, restorer if kind < RESTORED else None)
