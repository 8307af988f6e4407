"""Defects combined as real photos combine them, in the order in which light meets them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from training.degradations import compression, sensor
from training.degradations.atmosphere import hazy, low_contrast
from training.degradations.cast import poor_white_balance
from training.degradations.exposure import glaring, low_light
from training.degradations.geometry import STEEPEST_DEGREES, rotate
from training.degradations.lens import blur
from training.degradations.light import Picture
from training.degradations.sensor import noisy

# What comes along: a dark room is photographed at high ISO, by warm lamps, with a slow shutter.
COMPANIONS: dict[Defect, tuple[Defect, ...]] = {
    Defect.LOW_LIGHT: (Defect.NOISY, Defect.POOR_WHITE_BALANCE, Defect.BLUR, Defect.ROTATION),
    Defect.POOR_WHITE_BALANCE: (Defect.LOW_LIGHT, Defect.NOISY, Defect.LOW_CONTRAST),
    Defect.HAZY: (Defect.JPEG_ARTIFACTS, Defect.POOR_WHITE_BALANCE, Defect.ROTATION),
    Defect.GLARING: (Defect.LOW_CONTRAST, Defect.ROTATION, Defect.JPEG_ARTIFACTS),
    Defect.LOW_CONTRAST: (Defect.JPEG_ARTIFACTS, Defect.NOISY, Defect.BLUR),
    Defect.BLUR: (Defect.LOW_LIGHT, Defect.JPEG_ARTIFACTS, Defect.NOISY),
    Defect.NOISY: (Defect.LOW_LIGHT, Defect.JPEG_ARTIFACTS, Defect.POOR_WHITE_BALANCE),
    Defect.JPEG_ARTIFACTS: (Defect.BLUR, Defect.LOW_CONTRAST, Defect.NOISY),
    Defect.ROTATION: (Defect.LOW_LIGHT, Defect.POOR_WHITE_BALANCE, Defect.JPEG_ARTIFACTS),
}


@dataclass(frozen=True)
class Recipe:
    """What to do to one clean photo. Equal recipes give equal pictures.

    Each defect draws from a generator of its own, so leaving one out does not change the others.
    """

    severities: Mapping[Defect, float]
    seed: int

    def without(self, defects: Collection[Defect]) -> "Recipe":
        kept = {d: s for d, s in self.severities.items() if d not in defects}
        return replace(self, severities=kept)


@dataclass(frozen=True)
class Degraded:
    """A degraded photo and the truth about it.

    `severities` names all nine. They can differ from the recipe's: underexposure brings noise, a
    cast may reach a part of the frame only. `degrees` is the signed tilt, counter-clockwise.
    `payload` is the JPEG where the recipe made one.
    """

    pixels: Pixels
    severities: dict[Defect, float]
    degrees: float
    payload: bytes | None


def draw_recipe(rng: np.random.Generator, among: tuple[Defect, ...] = tuple(Defect)) -> Recipe:
    """Draw none (one in six) to three defects of graded severity that occur together."""
    seed = int(rng.integers(1 << 31))
    if rng.random() < 1 / 6:
        return Recipe({}, seed)
    first = among[int(rng.integers(len(among)))]
    others = [d for d in COMPANIONS[first] if d in among]
    chosen = [first, *(d for d in others if rng.random() < 0.25)][:3]
    return Recipe({d: float(rng.uniform(0.1, 1.0)) for d in chosen}, seed)


@dataclass(frozen=True)
class Lit:
    """A picture under another light, the noise that this brought and the cast that shows."""

    picture: Picture
    sigma: float  # 8-bit levels
    cast: float  # severity


def degrade_light(srgb: Picture, recipe: Recipe) -> Lit:
    """Apply what changes light and colour alone."""
    picture = hazy(srgb, *amount_of(recipe, Defect.HAZY))
    picture = glaring(picture, *amount_of(recipe, Defect.GLARING))
    picture, sigma = low_light(picture, *amount_of(recipe, Defect.LOW_LIGHT))
    picture, tint = poor_white_balance(picture, *amount_of(recipe, Defect.POOR_WHITE_BALANCE))
    return Lit(low_contrast(picture, *amount_of(recipe, Defect.LOW_CONTRAST)), sigma, tint)


def degrade(clean: Pixels, recipe: Recipe) -> Degraded:
    """Degrade a clean photo, sRGB (H, W, 3); rotation makes the result smaller."""
    truth = dict.fromkeys(Defect, 0.0) | dict(recipe.severities)
    tilt, rng = amount_of(recipe, Defect.ROTATION)
    degrees = tilt * STEEPEST_DEGREES * float(rng.choice((-1, 1)))
    picture = rotate(np.asarray(clean, np.float32) / np.float32(255), degrees)
    picture = blur(picture, *amount_of(recipe, Defect.BLUR))
    lit = degrade_light(picture, recipe)
    pixels = to_pixels(noisy(lit.picture, *amount_of(recipe, Defect.NOISY)))
    truth[Defect.POOR_WHITE_BALANCE] = lit.cast
    total = float(np.hypot(lit.sigma, sensor.sigma_of(truth[Defect.NOISY])))
    truth[Defect.NOISY] = sensor.severity_of(total)
    payload = None
    compressed, rng = amount_of(recipe, Defect.JPEG_ARTIFACTS)
    if compressed > 0:
        quality = compression.quality_of(compressed)
        payload = compression.compress(pixels, quality, subsampled=bool(rng.random() < 0.8))
        if rng.random() < 0.4:  # a chain: the last link's tables hide what the first one did
            again = int(rng.integers(88, 97))
            payload = compression.compress(compression.expand(payload), again)
        pixels = compression.expand(payload)
    return Degraded(pixels, truth, degrees, payload)


def to_pixels(picture: Picture) -> Pixels:
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def amount_of(recipe: Recipe, defect: Defect) -> tuple[float, np.random.Generator]:
    """The severity asked for, and the generator that the defect draws from, at its start."""
    order = tuple(Defect).index(defect)
    return recipe.severities.get(defect, 0.0), np.random.default_rng((recipe.seed, order))
