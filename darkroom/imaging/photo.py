"""The photo between its bytes and its tensors."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.header import Format

__all__ = ["Format", "Photo", "Pixels"]

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB, row-major, upright; writable where decoded


@dataclass(frozen=True)
class Photo:
    """A decoded photo: upright sRGB pixels and what must come back with them on encoding.

    `alpha` is (H, W) uint8 or None. `exif` is a TIFF-structured block without GPS and with
    orientation 1, or empty. `quantisation` holds the JPEG's tables, luma first, each 64 values in
    natural (row-major) order; empty for other formats. `subsampling` is "420", "422" or "444".
    """

    pixels: Pixels
    format: Format
    alpha: NDArray[np.uint8] | None = None
    exif: bytes = b""
    grey: bool = False  # stored with one channel: goes back with one channel while it stays grey
    subsampling: str = "420"
    quantisation: tuple[NDArray[np.uint16], ...] = field(default=())
