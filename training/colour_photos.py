"""Photos to learn colours from, as squares: their aged grey, their luma and their true chroma."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from darkroom.imaging.chroma import chroma_of
from darkroom.imaging.photo import Pixels
from darkroom.networks.lite import STRIDE
from training.aging import age
from training.hues import COLOURED, GRASS
from training.photos import ROOMS, TrainingPhotos, endless, read_pixels, split_photos

LEAST_CHROMA = 0.03  # mean distance from grey, which is at most 0.6: a tenth of the photos has less
LEAST_GREEN = 0.03  # share of a photo's places
LARGEST_PX = 384  # shorter side of the photos that are kept


@dataclass(frozen=True)
class Squares:
    """A batch of photos squeezed to squares of side S."""

    aged: Tensor  # (N, S, S) float32 in [0, 1]: what the network sees
    luma: Tensor  # (N, S, S) float32 in [0, 1]: the photo's own
    chroma: Tensor  # (N, 2, S / 4, S / 4) float32, U and V

    def to(self, device: torch.device) -> "Squares":
        return Squares(self.aged.to(device), self.luma.to(device), self.chroma.to(device))


def find_colour_photos(data: Path) -> TrainingPhotos:
    """List the photos under `data` that bear colour, split by source as for the other trainings.

    Tinted, dark and soft ones serve as well: what is asked is the colour of things.
    """
    return split_photos(data, lambda path, _: bears_colour(path))


def favour_grass(photos: tuple[Path, ...]) -> tuple[Path, ...]:
    """`photos` with those from outdoors twice, and four times where there is green in them.

    Two photos of three are rooms, and of all coloured places 3 % are green: seen as often as they
    come, grass ends as olive.
    """
    return tuple(path for path in photos for _ in range(_times(path)))


def _times(path: Path) -> int:
    if path.parent.name in ROOMS and not path.stem.endswith("frontal"):
        return 1
    small = cv2.resize(read_once(path), (32, 32), interpolation=cv2.INTER_AREA)
    u, v = np.moveaxis(chroma_of(np.asarray(small, np.uint8)), 2, 0)
    hue = np.degrees(np.arctan2(v, u)) % 360
    green = (np.hypot(u, v) >= COLOURED) & (hue >= GRASS[0]) & (hue < GRASS[1])
    return 4 if green.mean() > LEAST_GREEN else 2


def split_yuv(pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(H, W, 3) uint8 sRGB → luma (H, W) in [0, 1] and chroma (H, W, 2) around zero."""
    scaled = pixels.astype(np.float32) / np.float32(255)
    yuv = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2YUV), np.float32)
    return yuv[..., 0], yuv[..., 1:] - np.float32(0.5)


def bears_colour(path: Path) -> bool:
    """Whether there is colour in a photo to learn from; black-and-white ones teach grey."""
    small = cv2.resize(read_pixels(path), (64, 64), interpolation=cv2.INTER_AREA)
    chroma = chroma_of(np.asarray(small, np.uint8))
    return float(np.hypot(chroma[..., 0], chroma[..., 1]).mean()) >= LEAST_CHROMA


Square = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def as_square(pixels: Pixels, side: int, rng: np.random.Generator | None) -> Square:
    """Squeeze to a square: aged luma, luma (side, side), chroma (2, side / 4, side / 4).

    With `rng` the photo is cropped, mirrored and aged at random; without, taken as it is.
    """
    if rng is not None:
        height, width = pixels.shape[:2]
        share = rng.uniform(0.6, 1.0, 2)
        h, w = int(height * share[0]), int(width * share[1])
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        pixels = pixels[y : y + h, x : x + w]
        pixels = np.ascontiguousarray(pixels[:, ::-1] if rng.random() < 0.5 else pixels)
    square = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    luma, chroma = split_yuv(np.asarray(square, np.uint8))
    coarse = cv2.resize(chroma, (side // STRIDE, side // STRIDE), interpolation=cv2.INTER_AREA)
    aged = luma if rng is None else age(luma, rng)
    return aged, luma, np.asarray(coarse.transpose(2, 0, 1), np.float32)


def stack(squares: list[Square]) -> Squares:
    return Squares(*(torch.from_numpy(np.stack(part)) for part in zip(*squares, strict=True)))


@lru_cache(maxsize=4000)  # each has 0.6 MB at most, where it is no longer than 4:3
def read_once(path: Path) -> Pixels:
    """A photo, no larger than is of use: squares are at most 256 pixels."""
    pixels = read_pixels(path)
    share = LARGEST_PX / min(pixels.shape[:2])
    if share >= 1:
        return pixels
    shrunk = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)


class _Endless(IterableDataset[Square]):
    def __init__(self, photos: tuple[Path, ...], side: int, seed: int) -> None:
        self.photos, self.side, self.seed = photos, side, seed

    def __iter__(self) -> Iterator[Square]:
        worker = get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        for path in endless(self.photos, rng):
            yield as_square(read_once(path), self.side, rng)


def batches(
    photos: tuple[Path, ...], side: int, batch: int, seed: int, device: torch.device
) -> Iterator[Squares]:
    """Aged squares without end; on a GPU eight processes prepare them."""
    workers = 8 if device.type == "cuda" else 0
    loader = DataLoader(_Endless(photos, side, seed), batch, collate_fn=stack, num_workers=workers)
    for squares in loader:
        yield squares.to(device)
