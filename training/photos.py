"""The photos to train on: which are good enough to be clean targets, and the fixed split."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import statistics_of, thumbnail_of

# NASA; Rachel Michetti and Stefan van der Walt, both CC0; SpaceX, public domain.
BUNDLED = {
    "astronaut": "astronaut.png",
    "coffee": "coffee.png",
    "chelsea": "chelsea.png",
    "rocket": "rocket.jpg",
}
HELD_OUT = 0.15  # share of the sources that no training sees


@dataclass(frozen=True)
class TrainingPhotos:
    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def find_photos(data: Path) -> TrainingPhotos:
    """List the photos under `data` that are clean targets, split by source.

    A clean target is well exposed, uses the range of levels, is neither tinted nor soft nor blown;
    many of the listing photos are none of these. All rooms of one house go to the same side.
    """
    training: list[Path] = []
    validation: list[Path] = []
    with (data / "index.csv").open(newline="") as index:
        for row in csv.DictReader(index):
            path = data / row["file"]
            if row["file"].startswith("photos/") and _well_lit(row) and is_clean(read_pixels(path)):
                (validation if held_out(path) else training).append(path)
    return TrainingPhotos(tuple(training), tuple(validation))


def held_out(path: Path) -> bool:
    """Decide by the source's name alone, so that the split never changes."""
    source = f"{path.parent.name}/{path.stem.split('_')[0]}"
    digest = hashlib.sha256(source.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT


def _well_lit(row: dict[str, str]) -> bool:
    mean, bright, detail = (float(row[k]) for k in ("mean_luma", "p95_luma", "laplacian_std_256"))
    return 90 < mean < 180 and bright > 185 and detail > 12


def is_clean(pixels: Pixels) -> bool:
    """Judge what the index does not tell: black and white points, clipping, cast."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    black, white = np.percentile(luma, (1, 99))
    cast = statistics_of(thumbnail_of(pixels))[-2:]
    linear = (pixels / 255.0) ** 2.2
    red, green, blue = np.log(linear.mean(axis=(0, 1)) + 1e-6)
    mean_cast = np.hypot(red - green, blue - green)
    return bool(
        black < 35
        and white > 225
        and (luma > 250).mean() < 0.12
        and np.hypot(*cast) < 0.2
        and mean_cast < 0.5
    )


def read_pixels(path: Path) -> Pixels:
    decoded = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise FileNotFoundError(path)
    return np.asarray(decoded, np.uint8)


def bundled_photo(name: str) -> Pixels:
    """A public-domain photo that scikit-image brings along, one of `BUNDLED`.

    What is shown to others is made from these: the training photos are not ours to pass on.
    """
    with Image.open(Path(skimage.data.__file__).parent / BUNDLED[name]) as image:
        return np.asarray(image.convert("RGB"))


def endless(photos: tuple[Path, ...], rng: np.random.Generator) -> Iterator[Path]:
    """Go through the photos again and again, each time in a new order."""
    while True:
        for index in rng.permutation(len(photos)):
            yield photos[int(index)]
