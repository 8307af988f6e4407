"""The original's way from photo to photo, step by step, to compare with.

Darkroom's own (`darkroom.inference.colorize`, `darkroom.imaging.chroma`) differs on purpose: it
brings chroma to full size along edges, in float, and never trades light for colour.
"""

import cv2
import numpy as np
from PIL import Image

from darkroom.imaging.chroma import SIDE_STEP
from darkroom.imaging.photo import Pixels
from darkroom.inference.colorize import normalised, to_rgb
from darkroom.inference.runtime import Network


def original_filter(photo: Pixels, network: Network, render_factor: int) -> tuple[Pixels, Pixels]:
    """The network's own colours stretched to the photo's size, and those with the photo's light.

    All three are (H, W, 3) uint8. `network` maps normalised (1, 3, S, S) to the same.
    """
    side = SIDE_STEP * render_factor
    image = Image.fromarray(photo)
    square = image.resize((side, side), Image.Resampling.BILINEAR).convert("L")
    (output,) = network(normalised(np.asarray(square)[None]))
    rgb = (to_rgb(output)[0] * 255).astype(np.uint8)  # cut off, not rounded
    raw = np.asarray(Image.fromarray(rgb).resize(image.size, Image.Resampling.BILINEAR))
    yuv = cv2.cvtColor(raw, cv2.COLOR_RGB2YUV)
    yuv[..., 0] = cv2.cvtColor(photo, cv2.COLOR_RGB2YUV)[..., 0]
    return raw, np.asarray(cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB), np.uint8)
