"""The photos that benchmarks send: of a camera's size, with a camera's number of bytes."""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import skimage.data
from PIL import Image

from darkroom.imaging.photo import Pixels

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")
SIZES = {"1.2 Mpx": (1280, 960, 250_000), "12 Mpx": (4000, 3000, 2_800_000)}  # w, h, bytes
DARK, LIGHT = 0.35, 1.0  # of the levels: dark ones are about three stops under


def make_photo(name: str, width: int, height: int, size_bytes: int, light: float = LIGHT) -> bytes:
    """A bundled photo of scikit-image, enlarged, with grain of three scales, as JPEG (q90, 4:2:0).

    Enlarging leaves a photo smooth; grain is added until it weighs what a camera's file does.
    `light` scales the levels: `DARK` makes a photo that is mended.
    """
    (file,) = Path(skimage.data.__file__).parent.glob(f"{name}.*")
    with Image.open(file) as image:
        enlarged = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    picture = np.asarray(np.asarray(enlarged) * light, np.uint8)
    random = np.random.default_rng(len(name))
    grain = np.zeros((height, width), np.float32)
    for scale in (1, 2, 4):
        fine = random.normal(0, 1, (height // scale, width // scale)).astype(np.float32)
        grain += cv2.resize(fine, (width, height))
    weak, strong = 0.0, 30.0
    for _ in range(7):  # halving the range each time
        strength = (weak + strong) / 2
        payload = _encode(picture, grain * strength)
        weak, strong = (strength, strong) if len(payload) < size_bytes else (weak, strength)
    return payload


def dark_photos(size: str) -> list[bytes]:
    """All of `PHOTOS` at one of `SIZES`, so dark that each is mended."""
    return [make_photo(name, *SIZES[size], DARK) for name in PHOTOS]


def _encode(picture: Pixels, grain: np.ndarray) -> bytes:
    grained = (picture + grain[:, :, None]).clip(0, 255).astype(np.uint8)
    return bytes(simplejpeg.encode_jpeg(grained, quality=90, colorsubsampling="420"))
