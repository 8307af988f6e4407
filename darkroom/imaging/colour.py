"""From a photo's own colour space to sRGB."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from darkroom.imaging.photo import Pixels

_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_SRGB = ImageCms.createProfile("sRGB")
# A profile that moves no colour further than this (of 255) is sRGB by another name. The transform
# of 12 megapixels costs as much as the rest of the road, and most profiles are of this kind.
_SAME = 2


def to_srgb(pixels: NDArray[np.uint8], profile: bytes) -> Pixels:
    """Convert (H, W, C) uint8 into (H, W, 3) sRGB; C is 1 for grey, 3 for RGB, 4 for CMYK.

    `profile` is an ICC block. One that is empty, broken or made for another number of channels is
    ignored: the pixels are then taken for sRGB, its grey axis, or plain inverse ink.
    """
    channels = pixels.shape[2]
    transform = _transform(profile, _MODES[channels]) if profile else None
    if transform is None:
        if channels == 3:
            return pixels
        if channels == 1:
            return np.repeat(pixels, 3, axis=2)
        return np.asarray(_image(pixels).convert("RGB"))
    converted = np.asarray(ImageCms.applyTransform(_image(pixels), transform))
    # A grey profile describes lightness alone; what tint the white points leave is rounding.
    return np.repeat(converted[:, :, 1:2], 3, axis=2) if channels == 1 else converted


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    channels = pixels.shape[2]
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, _MODES[channels])


@lru_cache(maxsize=8)  # a client's photos share a camera, and building one costs milliseconds
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            _SRGB,
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None
    if mode == "CMYK":
        return transform
    probe = _probe(mode)
    moved = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int)
    return None if np.abs(moved - np.asarray(probe.convert("RGB"))).max() <= _SAME else transform


def _probe(mode: str) -> Image.Image:
    """A picture of colours from the whole cube (or the whole grey axis)."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3))
