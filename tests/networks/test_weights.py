import pytest
import torch
from torch import nn

from darkroom.networks.weights import read_weights, write_weights
from darkroom.weights.notes import WrongWeights


class Small(nn.Linear):
    def __init__(self, inside: int = 3) -> None:
        super().__init__(inside, 2)


class Other(Small):
    pass


def test_round_trip_keeps_values_and_notes(tmp_path):
    """What was written comes back within float16, notes included."""
    written, read = Small(), Small()
    write_weights(tmp_path / "w.safetensors", written, {"thresholds": "{}"})

    notes = read_weights(tmp_path / "w.safetensors", read)

    assert notes["thresholds"] == "{}"
    assert torch.allclose(written.weight, read.weight, atol=1e-3)
    assert read.weight.dtype == torch.float32


@pytest.mark.parametrize("network", [Other(), Small(4)])
def test_weights_of_another_architecture_are_refused(tmp_path, network):
    """Another class or another shape is a clear error, not a silent mixture."""
    write_weights(tmp_path / "w.safetensors", Small(), {})

    with pytest.raises(WrongWeights):
        read_weights(tmp_path / "w.safetensors", network)


@pytest.mark.parametrize("keep", [0, 20, -1])
def test_truncated_and_missing_files_are_refused(tmp_path, keep):
    """A file cut anywhere, or not there, is a clear error."""
    path = tmp_path / "w.safetensors"
    write_weights(path, Small(), {})
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(WrongWeights):
        read_weights(path, Small())
    with pytest.raises(WrongWeights):
        read_weights(tmp_path / "none.safetensors", Small())
