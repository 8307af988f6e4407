"""From a photo's own colour space to sRGB, and from colours to none."""

import io
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from darkroom.imaging.photo import Pixels

_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_SRGB = ImageCms.createProfile("sRGB")
# A profile that moves no colour further than this (of 255) is sRGB by another name. The transform
# of 12 megapixels costs as much as the rest of the road, and most profiles are of this kind.
_SAME = 2
_STRIP_PX = 64


def to_srgb(pixels: NDArray[np.uint8], profile: bytes) -> Pixels:
    """Convert (H, W, C) uint8 into (H, W, 3) sRGB; C is 1 for grey, 3 for RGB, 4 for CMYK.

    `profile` is an ICC block. One that is empty, broken or made for another number of channels is
    ignored: the pixels are then taken for sRGB, its grey axis, or plain inverse ink.
    """
    channels = pixels.shape[2]
    transform = _transform(profile, _MODES[channels]) if profile else None
    if channels == 1:
        return _spread(pixels if transform is None else _grey_curve(transform)[pixels])
    if transform is None:
        return pixels if channels == 3 else np.array(Image.fromarray(pixels, "CMYK").convert("RGB"))
    converted = np.empty((*pixels.shape[:2], 3), np.uint8)
    # In strips that stay in the cache while Pillow copies in and out: a third less time.
    for top in range(0, len(pixels), _STRIP_PX):
        strip = Image.fromarray(pixels[top : top + _STRIP_PX], _MODES[channels])
        converted[top : top + _STRIP_PX] = np.asarray(ImageCms.applyTransform(strip, transform))
    return converted


def without_colour(pixels: Pixels) -> Pixels:
    """Each pixel's luma (BT.601) in all three channels, the same shape."""
    return _spread(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))


def _spread(grey: NDArray[np.uint8]) -> Pixels:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2RGB), np.uint8)


def _grey_curve(transform: ImageCms.ImageCmsTransform) -> NDArray[np.uint8]:
    """A grey profile describes lightness alone; what tint the white points leave is rounding."""
    return np.asarray(ImageCms.applyTransform(_probe("L"), transform))[0, :, 1]


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
