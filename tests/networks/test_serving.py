import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.imaging.upright import ANGLES, VOTES
from darkroom.inference.runtime import load_network
from darkroom.networks.serving import SERVED, convert, load_with_torch
from darkroom.networks.straighten import TiltNetwork
from darkroom.networks.weights import write_weights
from darkroom.weights.notes import NETWORK, WrongWeights, read_notes

STORE = Path(__file__).parents[2] / "model-store" / "weights"


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TiltNetwork().eval()


@pytest.fixture
def weights(network, tmp_path):
    path = tmp_path / "tilt.safetensors"
    write_weights(path, network.half().float(), {})  # as exact as they are stored
    return path


@pytest.fixture
def votes():
    return np.random.default_rng(0).random((3, VOTES, len(ANGLES)), np.float32)


def expected_of(network, votes):
    with torch.inference_mode():
        return network(torch.from_numpy(votes)).numpy()


def test_what_runs_on_a_gpu_computes_what_the_network_does(network, weights, votes):
    """A batch through torch, here on the processor: arrays in, arrays out."""
    (logits,) = load_with_torch(weights, "cpu")(votes)

    assert np.array_equal(logits, expected_of(network, votes))


@pytest.mark.filterwarnings("ignore:CUDA is not available")  # here all is computed in float32
@pytest.mark.parametrize("name", ["colorize", "defects", "restore", "straighten", "tone"])
def test_photos_of_a_batch_do_not_see_each_other(name):
    """As a GPU gets them: one pass for both, and one for each, say the same of each."""
    weights = STORE / f"{name}.safetensors"
    random = np.random.default_rng(0)
    batch = [
        random.integers(0, 256, (2, *example.shape[1:])).astype(example.dtype)
        if example.dtype == np.uint8
        else random.random((2, *example.shape[1:]), np.float32)
        for example in SERVED[read_notes(weights)[NETWORK]].example
    ]
    network = load_with_torch(weights, "cpu")

    together = network(*batch)

    for index in range(2):
        alone = network(*(array[index : index + 1] for array in batch))
        for output, (expected,) in zip(together, alone, strict=True):
            assert np.abs(output[index] - expected).max() < 1e-4 * np.ptp(output)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_processor_computes_the_same_converted_ahead_or_not(network, weights, votes, ahead):
    """A batch through OpenVINO, one by one, is what torch computes, whenever it was converted."""
    if ahead:
        convert(weights)

    (logits,) = load_network(weights, "cpu")(votes)

    assert logits.shape == (3, len(ANGLES))
    assert np.abs(logits - expected_of(network, votes)).max() < 0.02 * np.ptp(logits)


def test_a_processor_loads_the_converter_only_to_convert(weights):
    """In a fresh interpreter: without it for a network converted ahead, with it for another."""
    convert(weights)
    load = "load_network(Path(sys.argv[1]), 'cpu')"
    look = "print('openvino.tools.ovc' in sys.modules)"
    program = f"""
import sys
from pathlib import Path
from darkroom.inference.runtime import load_network
{load}; {look}
Path(sys.argv[1]).with_suffix(".xml").unlink()
{load}; {look}
"""

    ended = subprocess.run([sys.executable, "-c", program, str(weights)], stdout=subprocess.PIPE)

    assert ended.stdout.split() == [b"False", b"True"]


def test_what_is_never_served_is_refused(tmp_path):
    """Weights of some other module are named, not guessed at."""
    write_weights(tmp_path / "other.safetensors", torch.nn.Linear(2, 2), {})

    with pytest.raises(WrongWeights, match="Linear"):
        convert(tmp_path / "other.safetensors")


@pytest.mark.parametrize("name", SERVED)
def test_each_example_is_a_batch_of_one(name):
    assert {len(array) for array in SERVED[name].example} == {1}
