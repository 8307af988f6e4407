"""The photos to train on: which are good enough to be clean targets, and the fixed split."""

import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import statistics_of, thumbnail_of
from training.seen_defects import seen_in

# NASA; Rachel Michetti and Stefan van der Walt, both CC0; SpaceX, public domain.
BUNDLED = {
    "astronaut": "astronaut.png",
    "coffee": "coffee.png",
    "chelsea": "chelsea.png",
    "rocket": "rocket.jpg",
}
ROOMS = ("houses", "places-rooms")  # folders
# sRGB → luma and two chroma axes (ITU-R BT.601).
_YCC = np.asarray([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
HELD_OUT = 0.15  # share of the sources that no training sees


Row = dict[str, str]  # of the index: what was measured of a photo


@dataclass(frozen=True)
class TrainingPhotos:
    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def split_photos(data: Path, wanted: Callable[[Path, Row], bool]) -> TrainingPhotos:
    """List the photos of `data / "index.csv"` that are wanted, in its order, split by source.

    Raises:
        FileNotFoundError: there is no index.
    """
    training: list[Path] = []
    validation: list[Path] = []
    with (data / "index.csv").open(newline="") as index:
        for row in csv.DictReader(index):
            path = data / row["file"]
            if row["file"].startswith("photos/") and wanted(path, row):
                (validation if held_out(path) else training).append(path)
    return TrainingPhotos(tuple(training), tuple(validation))


def find_photos(data: Path) -> TrainingPhotos:
    """List the photos under `data` that are clean targets, split by source.

    A clean target is well exposed, uses the range of levels, is neither tinted nor soft nor blown;
    many of the listing photos are none of these. Rooms are mostly painted white, so their mean
    colour tells a tint; of a brick wall or a meadow it tells nothing, and colourful things must be
    among the clean photos, or all of them look tinted. All rooms of one house go to the same side.
    """
    return split_photos(data, _is_clean)


def _is_clean(path: Path, row: Row) -> bool:
    if not _well_lit(row):
        return False
    pixels = read_pixels(path)
    return uses_the_range(pixels) and (path.parent.name not in ROOMS or is_neutral(pixels))


def find_untinted(data: Path) -> TrainingPhotos:
    """List the photos under `data` whose light has no colour, split by source.

    They may be dark, flat or partly blown: nearly twice as many as those of `find_photos`. What is
    tinted to the eye is not among them.
    """
    return split_photos(data, _is_untinted)


def _is_untinted(path: Path, row: Row) -> bool:
    tinted = Defect.POOR_WHITE_BALANCE in seen_in(path)
    if tinted or not 60 < float(row["mean_luma"]) < 200:
        return False
    pixels = read_pixels(path)
    blown = (pixels.min(axis=2) > 250).mean()
    return bool(blown < 0.2) and (path.parent.name not in ROOMS or is_neutral(pixels))


def find_whatever_is_lit(data: Path) -> TrainingPhotos:
    """List the photos under `data` in which anything is bright, good or not, split by source."""
    return split_photos(data, lambda _, row: float(row["p95_luma"]) > 60)


def held_out(path: Path) -> bool:
    """Decide by the source's name alone, so that the split never changes."""
    source = f"{path.parent.name}/{path.stem.split('_')[0]}"
    digest = hashlib.sha256(source.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT


def _well_lit(row: Row) -> bool:
    mean, bright, detail = (float(row[k]) for k in ("mean_luma", "p95_luma", "laplacian_std_256"))
    return 90 < mean < 180 and bright > 185 and detail > 12


def uses_the_range(pixels: Pixels) -> bool:
    """Whether there is black and white in it, and little that is blown."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    black, white = np.percentile(luma, (1, 99))
    return bool(black < 35 and white > 225 and (luma > 250).mean() < 0.12)


def is_neutral(pixels: Pixels) -> bool:
    """Whether the bright parts and the mean are close to grey."""
    bright = statistics_of(thumbnail_of(pixels))[-2:]
    red, green, blue = np.log(((pixels / 255.0) ** 2.2).mean(axis=(0, 1)) + 1e-6)
    return bool(np.hypot(*bright) < 0.2 and np.hypot(red - green, blue - green) < 0.5)


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


def recolour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Vary the colours of things, not of the light: turn and scale chroma, greys stay grey.

    Without it a red wall is as good a sign of a warm cast as a red tint of everything.
    """
    if rng.random() < 0.5:
        return pixels
    turn = np.radians(rng.uniform(-40, 40)) if rng.random() < 0.5 else 0.0
    saturation = rng.uniform(0.6, 1.5)
    sine, cosine = saturation * np.sin(turn), saturation * np.cos(turn)
    in_chroma = np.asarray([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    mixing = np.linalg.inv(_YCC) @ in_chroma @ _YCC
    return np.asarray(cv2.transform(pixels, mixing), np.uint8)


def endless(photos: tuple[Path, ...], rng: np.random.Generator) -> Iterator[Path]:
    """Go through the photos again and again, each time in a new order."""
    while True:
        for index in rng.permutation(len(photos)):
            yield photos[int(index)]
