"""The colorizers: from squares of grey to squares of chroma, whichever network does it.

`lite` is ours and always there; `artistic` and `stable` are DeOldify's, where their weights have
been fetched.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.options import ColorModel
from darkroom.imaging.chroma import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    LUMA,
    U_OF_BLUE,
    V_OF_RED,
    Chroma,
    Luma,
)
from darkroom.inference.runtime import Network, load_network
from darkroom.weights.notes import read_notes

OFFICIAL = (ColorModel.ARTISTIC, ColorModel.STABLE)
_MEAN, _DEVIATION = (np.array(v, np.float32) for v in (IMAGENET_MEAN, IMAGENET_DEVIATION))

Float = NDArray[np.float32]


class NoColours(RuntimeError):
    """The network's answer holds what is no number."""


class Colorizer:
    """One network, ready for inference."""

    def __init__(self, network: Network, to_chroma: Callable[[Float], Float]) -> None:
        self._network = network
        self._to_chroma = to_chroma

    def colorize(self, squares: Sequence[Luma]) -> list[Chroma]:
        """The chroma, (S, S, 2), of squares that all have the same side S, a multiple of 16.

        Raises:
            NoColours: the network computed no numbers.
        """
        (output,) = self._network(normalised(np.stack(squares)))
        if not np.isfinite(output).all():
            raise NoColours
        return [np.ascontiguousarray(chroma) for chroma in self._to_chroma(output)]


def normalised(squares: NDArray[np.uint8]) -> Float:
    """Luma (N, S, S) uint8 → what the networks take: (N, 3, S, S) by ImageNet's statistics."""
    grey = squares.astype(np.float32)[:, None] / 255
    normal = (grey - _MEAN.reshape(3, 1, 1)) / _DEVIATION.reshape(3, 1, 1)
    return np.asarray(normal, np.float32)


def to_rgb(output: Float) -> Float:
    """A generator's output (N, 3, S, S) → R, G, B in [0, 1], (N, S, S, 3)."""
    rgb = output.transpose(0, 2, 3, 1) * _DEVIATION + _MEAN
    return np.asarray(np.clip(rgb, 0, 1), np.float32)


def _chroma_of_colours(output: Float) -> Float:
    rgb = to_rgb(output)
    luma = rgb @ np.array(LUMA, np.float32)
    u, v = U_OF_BLUE * (rgb[..., 2] - luma), V_OF_RED * (rgb[..., 0] - luma)
    return np.stack([u, v], axis=-1)


def _chroma_itself(output: Float) -> Float:
    return output.transpose(0, 2, 3, 1)


def load_lite(weights: Path, device: str) -> Colorizer:
    """Our own colorizer, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    read_notes(weights, "LiteGenerator")
    return Colorizer(load_network(weights, device), _chroma_itself)


def load_official(weights: Path, model: ColorModel, device: str) -> Colorizer:
    """One of DeOldify's, `model`, ready for inference on `device`.

    Raises:
        WrongWeights: the file is damaged or holds another network.
    """
    read_notes(weights, f"deoldify-{model}")
    return Colorizer(load_network(weights, device), _chroma_of_colours)
