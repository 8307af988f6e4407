"""Weights on disk: safetensors, float16, with a few strings of their own beside the tensors."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from darkroom.weights.notes import NETWORK, WrongWeights, read_notes


def write_weights(path: Path, network: nn.Module, notes: dict[str, str]) -> None:
    """Store the network's state as float16 with `notes` as the file's metadata."""
    state = {
        name: value.detach().half().contiguous() for name, value in network.state_dict().items()
    }
    save_file(state, path, metadata={NETWORK: type(network).__name__, **notes})


def read_weights(path: Path, network: nn.Module) -> dict[str, str]:
    """Fill `network` (as float32) and return the file's notes.

    Raises:
        WrongWeights: the file is damaged or was written by another architecture.
    """
    expected = type(network).__name__
    notes = read_notes(path, expected)
    state = {name: value.float() for name, value in load_file(path).items()}
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WrongWeights(f"{path.name} does not fit {expected}") from error
    network.eval()
    return notes
