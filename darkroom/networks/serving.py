"""From weights to what serves them: OpenVINO's form for a processor, torch itself on a GPU."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from darkroom.imaging.chroma import SIDE_STEP
from darkroom.imaging.texture import PATCHES, TEXTURE
from darkroom.imaging.tiles import TILE_PX
from darkroom.imaging.upright import ANGLES, VOTES
from darkroom.imaging.views import CHROMA, COLOURS, EVIDENCE, LINES, STATISTICS, THUMBNAIL_PX
from darkroom.networks import restore, tone
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.deoldify.weights import read_folded
from darkroom.networks.lite import LiteGenerator
from darkroom.networks.restore import RestoreNetwork
from darkroom.networks.straighten import TiltNetwork
from darkroom.networks.tone import ToneNetwork
from darkroom.networks.weights import read_weights
from darkroom.weights.notes import NETWORK, WrongWeights, read_notes

if TYPE_CHECKING:
    import openvino

Arrays = tuple[np.ndarray, ...]

# The converter tells Google of each conversion, from a process forked for each event. Where this
# package is missing it has a stub instead.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Served:
    """How a network is read from its weights, and what it will be asked.

    example: an array for each argument of `forward`, with a batch of 1. Later calls may bring any
        batch and, of the rest, the same shapes and types.
    any_side: they may also bring pictures, (N, C, H, W), of other heights and widths: the first of
        each size takes some tenths of a second, the others no longer than with a fixed size.
    bfloat16: on a GPU; on a processor OpenVINO takes it by itself where there are units for it.
    """

    read: Callable[[Path], nn.Module]
    example: Arrays
    any_side: bool = False
    bfloat16: bool = False


def _ours(kind: type[nn.Module], weights: Path) -> nn.Module:
    network = kind()
    read_weights(weights, network)
    return network


def _zeros(*shape: int, kind: type[np.generic] = np.float32) -> np.ndarray:
    return np.zeros((1, *shape), kind)


_THUMBNAIL = _zeros(THUMBNAIL_PX, THUMBNAIL_PX, 3, kind=np.uint8)
_SQUARE = (_zeros(3, 8 * SIDE_STEP, 8 * SIDE_STEP),)
_colorizer = partial(Served, example=_SQUARE, any_side=True, bfloat16=True)

# By the name that the weights give themselves.
SERVED = {
    "DefectNetwork": Served(
        partial(_ours, DefectNetwork),
        (
            _THUMBNAIL,
            *(_zeros(facts) for facts in (STATISTICS, LINES, COLOURS)),
            _zeros(*CHROMA),
            _zeros(PATCHES, TEXTURE),
            _zeros(EVIDENCE),
        ),
    ),
    "RestoreNetwork": Served(
        partial(_ours, RestoreNetwork),
        (_zeros(TILE_PX, TILE_PX, 3, kind=np.uint8), _zeros(len(restore.MENDED))),
    ),
    "ToneNetwork": Served(
        partial(_ours, ToneNetwork), (_THUMBNAIL, _zeros(STATISTICS), _zeros(len(tone.MENDED)))
    ),
    "TiltNetwork": Served(partial(_ours, TiltNetwork), (_zeros(VOTES, len(ANGLES)),)),
    "LiteGenerator": _colorizer(partial(_ours, LiteGenerator)),
    "deoldify-artistic": _colorizer(partial(read_folded, variant="artistic")),
    "deoldify-stable": _colorizer(partial(read_folded, variant="stable")),
}


def convert(weights: Path) -> None:
    """Write the network of `weights` as OpenVINO reads it, into .xml and .bin beside them.

    The numbers are stored as float16, as they are in ours: nothing is lost, and equal networks give
    equal files.

    Raises:
        WrongWeights: the file belongs to no network of these or is damaged.
    """
    import openvino

    openvino.save_model(to_openvino(weights), weights.with_suffix(".xml"), compress_to_fp16=True)


def to_openvino(weights: Path) -> openvino.Model:
    """The network of `weights` in OpenVINO's form.

    Raises:
        WrongWeights: as `convert`.
    """
    served = _served(weights)
    return trace(served.read(weights), served.example, any_side=served.any_side)


def trace(network: nn.Module, example: Arrays, *, any_side: bool = False) -> openvino.Model:
    """`network` in OpenVINO's form, for what `Served` says of `example` and `any_side`."""
    # Not from `openvino`, which may have been imported without it (`darkroom.inference.runtime`).
    from openvino.tools.ovc import convert_model

    tensors = tuple(torch.from_numpy(array) for array in example)
    with warnings.catch_warnings():
        # OpenVINO traces; torch announces the end of tracing, torch.export takes 10 s a network.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        # Traced here, because OpenVINO would trace twice and compare: a third of its time.
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            network.eval(), tensors, check_trace=False
        )
        model = convert_model(traced, example_input=tensors)
    shapes = [(-1, a.shape[1], -1, -1) if any_side else (1, *a.shape[1:]) for a in example]
    model.reshape({port: [*shape] for port, shape in zip(model.inputs, shapes, strict=True)})
    return model


def load_with_torch(weights: Path, device: str) -> Callable[..., Arrays]:
    """The network of `weights` on a GPU ("cuda", "cuda:1"): arrays in, arrays out.

    Raises:
        WrongWeights: as `convert`.
    """
    served = _served(weights)
    network = served.read(weights).to(device).eval()

    @torch.inference_mode()
    def run(*arrays: np.ndarray) -> Arrays:
        with torch.autocast("cuda", torch.bfloat16, enabled=served.bfloat16):
            outputs = network(*(torch.from_numpy(array).to(device) for array in arrays))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(output.float().cpu().numpy() for output in outputs)

    return run


def _served(weights: Path) -> Served:
    name = read_notes(weights).get(NETWORK, "")
    if name not in SERVED:
        raise WrongWeights(f"{weights.name} holds no network that is served, but {name or 'none'}")
    return SERVED[name]
