"""Weights on disk: safetensors, float16, with a few strings of their own beside the tensors."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn


class WrongWeights(RuntimeError):
    """The weights are damaged or belong to another architecture."""


def write_weights(path: Path, network: nn.Module, notes: dict[str, str]) -> None:
    """Store the network's state as float16 with `notes` as the file's metadata."""
    state = {
        name: value.detach().half().contiguous() for name, value in network.state_dict().items()
    }
    save_file(state, path, metadata={"network": type(network).__name__, **notes})


def read_weights(path: Path, network: nn.Module) -> dict[str, str]:
    """Fill `network` (as float32) and return the file's notes.

    Raises:
        WrongWeights: the file is damaged or was written by another architecture.
    """
    try:
        with safe_open(path, "pt") as file:
            notes: dict[str, str] = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise WrongWeights(f"{path.name} cannot be read: {error}") from error
    expected = type(network).__name__
    if notes.get("network") != expected:
        raise WrongWeights(f"{path.name} holds {notes.get('network')}, not {expected}")
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WrongWeights(f"{path.name} does not fit {expected}") from error
    network.eval()
    return notes
