"""Colour photos of any size with a colorizer in training; measure how near the truth it gets."""

from dataclasses import dataclass, fields

import numpy as np
import torch

from darkroom.imaging.chroma import Chroma, luma_of, square_of
from darkroom.imaging.chroma import colour as put_colours
from darkroom.imaging.metrics import ciede2000, colourfulness, psnr, ssim
from darkroom.imaging.photo import Pixels
from darkroom.networks.lite import LiteGenerator, normalise
from training.perception import Perception

SIDE = 256  # of the square the network sees: render factor 16


@dataclass(frozen=True)
class Scores:
    """One coloured photo against its truth."""

    psnr: float  # dB
    ssim: float
    squeezenet_distance: float
    colourfulness: float
    ciede2000: float


MEASURES = tuple(field.name for field in fields(Scores))


@torch.inference_mode()
def predict(network: LiteGenerator, pixels: Pixels, side: int = SIDE) -> Chroma:
    """The chroma (side, side, 2) that the network gives to a photo's luma."""
    square = torch.from_numpy(square_of(luma_of(pixels), side)[None]).float() / 255
    chroma = network(normalise(square.to(network.saturation.device)))
    return np.ascontiguousarray(chroma[0].permute(1, 2, 0).cpu(), np.float32)


def colour(network: LiteGenerator, pixels: Pixels, side: int = SIDE) -> Pixels:
    """Colour a photo, whose own colours are not looked at, as the service does."""
    return put_colours(pixels, luma_of(pixels), predict(network, pixels, side))


def to_grey(pixels: Pixels) -> Pixels:
    """The answer of one who colours nothing."""
    return np.ascontiguousarray(np.broadcast_to(luma_of(pixels)[..., None], pixels.shape))


@torch.inference_mode()
def score(coloured: Pixels, truth: Pixels, perception: Perception) -> Scores:
    """Measure one coloured photo at its full size."""
    pair = [torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (coloured, truth)]
    return Scores(
        psnr=psnr(coloured, truth),
        ssim=ssim(coloured, truth),
        squeezenet_distance=float(perception(*pair)),
        colourfulness=colourfulness(coloured),
        ciede2000=ciede2000(coloured, truth),
    )
