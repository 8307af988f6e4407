"""Weight files of the generators: the official checkpoints, and ours that are made of them.

A checkpoint is a pickle, so it is only ever opened by torch's unpickler for plain data. Ours hold
the folded network as safetensors, float32: what was exact stays exact.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from darkroom.networks.deoldify.folding import fold
from darkroom.networks.deoldify.generator import VARIANTS, Generator, Variant
from darkroom.weights.notes import NETWORK, WrongWeights, read_notes

_NAME = "deoldify-{}"  # what a file of ours says it holds
# The optimiser's state, which lies beside the network's, holds learning rates for layers as slices.
_HARMLESS: list[Any] = [slice]


def read_checkpoint(path: Path, variant: Variant) -> Generator:
    """An official checkpoint as the network it was saved from, every key accounted for.

    Either layout is taken: the network's and the optimiser's state, or the network's alone.

    Raises:
        WrongWeights: the file is damaged, no checkpoint at all, or another network's.
    """
    state = _network_state(_unpickle(path), path.name)
    with torch.device("meta"):
        network = Generator(variant)
    _expect(state, network.state_dict(), path.name, variant)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


def write_folded(network: Generator, path: Path, notes: Mapping[str, str]) -> None:
    """Fold `network` and store it, whole or not at all; `notes` go into the file's metadata."""
    fold(network)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    unfinished = path.with_name(f".{path.name}.part")
    metadata = {NETWORK: _NAME.format(network.variant), **notes}
    save_file(state, unfinished, metadata=metadata)
    unfinished.replace(path)


def read_folded(path: Path, variant: Variant) -> Generator:
    """A network from a file of ours, ready for inference.

    Raises:
        WrongWeights: the file is damaged, cut off or holds another network.
    """
    read_notes(path, _NAME.format(variant))
    with torch.device("meta"):
        network = Generator(variant)
    fold(network)
    state = load_file(path)
    _expect(state, network.state_dict(), path.name, variant)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


def _unpickle(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        reason = "it is a web page" if _starts_like_a_page(path) else "it is no plain checkpoint"
        raise WrongWeights(f"{path.name} cannot be read: {reason}, or damaged") from error


def _starts_like_a_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"<")
    except OSError:
        return False


def _network_state(content: object, name: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and set(content) == {"model", "opt"}:
        content = content["model"]
    if not isinstance(content, Mapping) or not content:
        raise WrongWeights(f"{name} holds no network")
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise WrongWeights(f"{name} holds more than tensors")
    return dict(content)


def _expect(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], name: str, variant: Variant
) -> None:
    """Check names, shapes and kinds before anything is assigned: a clear word beats a long list."""
    if state.keys() != expected.keys():
        missing, extra = expected.keys() - state.keys(), state.keys() - expected.keys()
        other = next(v for v in VARIANTS if v != variant)
        raise WrongWeights(
            f"{name} does not fit {variant} ({len(missing)} tensors are missing, {len(extra)} are "
            f"unknown). Is it {other}?"
        )
    for key, value in state.items():
        wanted = expected[key]
        if value.shape != wanted.shape or value.dtype != wanted.dtype:
            raise WrongWeights(f"{name} does not fit {variant}: {key} is {tuple(value.shape)}")
        if not bool(torch.isfinite(value).all()):
            raise WrongWeights(f"{name} is damaged: {key} holds what is no number")
