"""Photos to send: generated, seeded, oblong."""

import io
from typing import Any

import aiohttp
import numpy as np
from PIL import Image


def a_photo(file_format: str = "JPEG", size: tuple[int, int] = (80, 60), seed: int = 1) -> bytes:
    """A dark noisy photo, (width, height) pixels."""
    pixels = np.random.default_rng(seed).integers(0, 90, (size[1], size[0], 3), dtype=np.uint8)
    return encode(Image.fromarray(pixels), file_format)


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def an_animation() -> bytes:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "green", "blue")]
    return encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def brightness(payload: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(payload)).convert("L")).mean())


def a_form(**fields: bytes | str) -> aiohttp.FormData:
    """Bytes become files, text becomes options."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, bytes):
            form.add_field(name, io.BytesIO(value), filename="photo.jpg")
        else:
            form.add_field(name, value)
    return form
