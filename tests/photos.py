"""Real photos for tests, and pictures as the bytes that clients send.

The photos are those of scikit-image that their authors gave to the public domain or under CC0:
astronaut (NASA), rocket (SpaceX), chelsea (Stefan van der Walt), coffee (Rachel Michetti).
"""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

_FILES = {
    "astronaut": "astronaut.png",  # 512×512
    "chelsea": "chelsea.png",  # 451×300
    "coffee": "coffee.png",  # 600×400
    "rocket": "rocket.jpg",  # 640×427
}
PHOTOS = tuple(_FILES)


@cache
def load_photo(name: str) -> Picture:
    """One of `PHOTOS` as (H, W, 3) uint8 sRGB; shared, so read-only."""
    with Image.open(Path(skimage.data.__file__).parent / _FILES[name]) as image:
        return np.asarray(image.convert("RGB"))


def to_bytes(picture: Picture | Image.Image, kind: str = "jpeg", **options: Any) -> bytes:
    """Encode as a client would (Pillow, not our codec); `options` are those of `Image.save`."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind.upper(), **({"quality": 90} if kind == "jpeg" else {}) | options)
    return buffer.getvalue()
