"""Photos with the three flaws of the pixels, as the restorer learns to mend them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.networks.restore import MENDED
from training.degradations import compression
from training.degradations.lens import blur
from training.degradations.recipe import to_pixels
from training.degradations.sensor import camera_noise, noisy
from training.photos import recolour

CROP_PX = 96
MARGIN_PX = 16, 8  # before and behind, damaged with the crop and cut off: no kernel meets a border
ALIGNED = 0.75  # of the crops begin where a block of the JPEG does, as the tiles of most files do
# What occurs together, and how often.
KINDS: tuple[tuple[float, tuple[Defect, ...]], ...] = (
    (0.06, ()),
    (0.07, (Defect.NOISY,)),
    (0.45, (Defect.JPEG_ARTIFACTS,)),  # this and blur are slow to learn
    (0.26, (Defect.BLUR,)),
    (0.05, (Defect.NOISY, Defect.JPEG_ARTIFACTS)),
    (0.05, (Defect.BLUR, Defect.NOISY)),
    (0.03, (Defect.BLUR, Defect.JPEG_ARTIFACTS)),
    (0.03, (Defect.BLUR, Defect.NOISY, Defect.JPEG_ARTIFACTS)),
)
SHAKEN = 0.75  # of blurred crops: the direction has to be guessed, which is slowest to learn
# How far off a diagnosis is where the defect is there (mean absolute error).
DOUBT = {Defect.NOISY: 0.03, Defect.BLUR: 0.1, Defect.JPEG_ARTIFACTS: 0.03}
_SHARES = np.asarray([share for share, _ in KINDS])


@dataclass(frozen=True)
class Damage:
    """What to do to a clean photo. Equal ones give equal pictures.

    Each flaw draws from a generator of its own, so leaving one out does not change the others.
    `trace` is what every real photo has and nobody asks about: a little grain and a fine JPEG.
    """

    severities: dict[Defect, float]
    seed: int
    trace: bool = False

    def without(self, defects: frozenset[Defect]) -> "Damage":
        kept = {d: s for d, s in self.severities.items() if d not in defects}
        return replace(self, severities=kept, trace=False)


@dataclass(frozen=True)
class Pair:
    damaged: Pixels  # (96, 96, 3)
    told: np.ndarray  # (3,) float32: severities to mend, in the order of MENDED
    target: Pixels


def spoil(clean: Pixels, damage: Damage) -> Pixels:
    """Blur, then noise, then JPEG, as lens, sensor and encoder follow each other."""
    if not damage.severities and not damage.trace:
        return clean
    amounts = [damage.severities.get(d, 0.0) for d in (Defect.BLUR, Defect.NOISY)]
    draws = [np.random.default_rng((damage.seed, number)) for number in range(4)]
    picture = blur(
        np.asarray(clean, np.float32) / np.float32(255), amounts[0], draws[0], shaken=SHAKEN
    )
    grain = camera_noise if draws[3].random() < 0.35 else noisy
    picture = grain(picture, amounts[1], draws[1])
    if damage.trace:
        picture = noisy(picture, draws[3].uniform(0, 0.1), draws[3])
    pixels = to_pixels(picture)
    severity, rng = damage.severities.get(Defect.JPEG_ARTIFACTS, 0.0), draws[2]
    qualities = [compression.quality_of(severity)] if severity > 0 else []
    if (severity > 0 and rng.random() < 0.3) or (damage.trace and rng.random() < 0.7):
        qualities.append(int(rng.integers(88, 98)))
    subsampled = bool(rng.random() < 0.7)
    for quality in qualities:
        pixels = compression.expand(compression.compress(pixels, quality, subsampled))
    return pixels


def draw_damage(rng: np.random.Generator) -> Damage:
    present = KINDS[int(rng.choice(len(KINDS), p=_SHARES))][1]
    severities = {d: float(rng.uniform(0.1, 1.0)) for d in present}
    if len(present) > 1:  # together, each is weaker: nobody uploads the worst of everything
        severities = {d: s * 0.7 for d, s in severities.items()}
    elif Defect.NOISY in severities:
        severities[Defect.NOISY] = float(rng.uniform(0.1, 1.13))  # sigma up to 60
    elif Defect.BLUR in severities:  # of the worst blur there is little to be learned
        severities[Defect.BLUR] = float(rng.uniform(0.1, 0.75))
    return Damage(severities, int(rng.integers(1 << 31)), trace=bool(rng.random() < 0.4))


def draw_told(
    rng: np.random.Generator, present: dict[Defect, float]
) -> tuple[frozenset[Defect], np.ndarray]:
    """What the network is asked to mend, and the severities it is told.

    Mostly all that is there, as a diagnosis would tell it: off by `DOUBT`. Sometimes only a part,
    sometimes what is not there at all, and sometimes 1, as when nobody has diagnosed.
    """
    asked = set(present)
    if len(present) > 1 and rng.random() < 0.2:
        asked.discard(list(present)[int(rng.integers(len(present)))])
    told = np.zeros(len(MENDED), np.float32)
    for index, defect in enumerate(MENDED):
        if defect in asked:
            told[index] = present[defect] + rng.normal(0, DOUBT[defect])
            if rng.random() < 0.2:
                told[index] = 1
        elif defect not in present and rng.random() < 0.2:
            told[index] = 1 if rng.random() < 0.2 else rng.uniform(0, 0.4)
    return frozenset(asked), np.clip(told, 0, 1)


def draw_crop(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut a crop and its margin, at varied scale: shrunk photos are cleaner, enlarged ones softer.

    Soft ones must be among them: the pixels of a 12-megapixel photo are softer than those of the
    small training photos, and that alone is no blur to be mended.
    """
    side = CROP_PX + sum(MARGIN_PX)
    kind = rng.random()
    scale = rng.uniform(0.55, 1.0) if kind < 0.4 else rng.uniform(1.0, 1.6) if kind < 0.65 else 1.0
    cut = min(round(side / scale), *photo.shape[:2])
    y, x = (int(rng.integers(extent - cut + 1)) for extent in photo.shape[:2])
    crop = photo[y : y + cut, x : x + cut]
    if cut != side:
        method = cv2.INTER_AREA if cut > side else cv2.INTER_CUBIC
        crop = np.asarray(cv2.resize(crop, (side, side), interpolation=method), np.uint8)
    if rng.random() < 0.5:
        crop = recolour(crop, rng)
    if rng.random() < 0.25:  # dark rooms: noise and compression look different there
        dimmed = (crop / 255.0) ** rng.uniform(1.2, 2.5) * 255
        crop = np.asarray(dimmed + 0.5, np.uint8)
    turned = np.rot90(crop, int(rng.integers(4)))
    return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)


def make_pair(crop: Pixels, damage: Damage, rng: np.random.Generator) -> Pair:
    asked, told = draw_told(rng, damage.severities)
    damaged, target = spoil(crop, damage), spoil(crop, damage.without(asked))
    shifts = (0, 0) if rng.random() < ALIGNED else rng.integers(-8, 1, 2)
    y, x = (MARGIN_PX[0] + int(shift) for shift in shifts)
    place = (slice(y, y + CROP_PX), slice(x, x + CROP_PX))
    return Pair(damaged[place], told, target[place])


def draw_pairs(photos: list[Pixels], rng: np.random.Generator) -> Iterator[Pair]:
    while True:
        for index in rng.permutation(len(photos)):
            yield make_pair(draw_crop(photos[int(index)], rng), draw_damage(rng), rng)
