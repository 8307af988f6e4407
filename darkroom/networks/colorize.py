"""The colorizers: from squares of grey to squares of chroma, whichever network does it.

`lite` is ours and always there; `artistic` and `stable` are DeOldify's, where their weights have
been fetched. `convert` and the archive's own weights are those of `lite`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.options import ColorModel
from darkroom.imaging.chroma import LUMA, U_OF_BLUE, V_OF_RED, Chroma, Luma
from darkroom.networks.deoldify.generator import Generator, Variant
from darkroom.networks.deoldify.weights import outline_folded, read_folded
from darkroom.networks.lite import DEVIATION, MEAN, LiteGenerator
from darkroom.networks.runtime import Arrays, Compiled, compile_network, convert_network
from darkroom.networks.weights import read_weights

SIDE_STEP = 16  # pixels of a square's side for one of render factor
_MEAN, _DEVIATION = np.array(MEAN, np.float32), np.array(DEVIATION, np.float32)  # of R, G, B
OFFICIAL: dict[ColorModel, Variant] = {
    ColorModel.ARTISTIC: "artistic",
    ColorModel.STABLE: "stable",
}

Float = NDArray[np.float32]


class NoColours(RuntimeError):
    """The network's answer holds what is no number."""


class Colorizer:
    """One network, ready for inference."""

    def __init__(self, network: Compiled, to_chroma: Callable[[Float], Float]) -> None:
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
    network = LiteGenerator()
    read_weights(weights, network)
    return _compiled(network, device, weights.with_suffix(".xml"), _chroma_itself)


def load_official(weights: Path, variant: Variant, device: str) -> Colorizer:
    """One of DeOldify's, ready for inference on `device`; `convert_official` makes it load faster.

    Raises:
        WrongWeights: the file is damaged or holds another network.
    """
    converted = weights.with_suffix(".xml")
    is_converted = not device.startswith("cuda") and converted.is_file()
    network = (outline_folded if is_converted else read_folded)(weights, variant)
    return _compiled(network, device, converted, _chroma_of_colours)


def _compiled(
    network: LiteGenerator | Generator,
    device: str,
    converted: Path,
    to_chroma: Callable[[Float], Float],
) -> Colorizer:
    compiled = compile_network(network, _example(), device, converted, any_side=True, bfloat16=True)
    return Colorizer(compiled, to_chroma)


def convert(weights: Path) -> None:
    """Convert `lite` ahead of time, into files beside `weights` that loading then finds."""
    network = LiteGenerator()
    read_weights(weights, network)
    convert_network(network, _example(), weights.with_suffix(".xml"), any_side=True)


def convert_official(weights: Path, variant: Variant) -> None:
    """The same for one of DeOldify's: spares a server 15 s at its first photo."""
    network = read_folded(weights, variant)
    convert_network(network, _example(), weights.with_suffix(".xml"), any_side=True)


def _example() -> Arrays:
    return (np.zeros((1, 3, 8 * SIDE_STEP, 8 * SIDE_STEP), np.float32),)
