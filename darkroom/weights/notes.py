"""What a file of weights says of itself; no tensor is read, and torch is not needed for it."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

NETWORK = "network"  # the note that names whose weights they are


class WrongWeights(RuntimeError):
    """The weights are damaged or belong to another architecture."""


def read_notes(path: Path, network: str | None = None) -> dict[str, str]:
    """The strings beside the tensors, of weights that are those of `network` if it is named.

    Raises:
        WrongWeights: the file is damaged, cut off or holds another network.
    """
    try:
        with safe_open(path, "np") as file:
            notes: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WrongWeights(f"{path.name} cannot be read: {error}") from error
    if network is not None and notes.get(NETWORK) != network:
        raise WrongWeights(f"{path.name} holds {notes.get(NETWORK)}, not {network}")
    return notes
