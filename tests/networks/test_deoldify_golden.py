"""Against outputs of the original networks and their image filter, where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from darkroom.inference.runtime import load_network
from darkroom.networks.deoldify.folding import fold
from darkroom.networks.deoldify.generator import Generator
from darkroom.networks.deoldify.weights import write_folded
from tests.networks.deoldify_original import original_filter
from tests.networks.deoldify_weights import a_generator

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "deoldify"

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden fixtures are not here")


@pytest.fixture(scope="module", params=["artistic", "stable"])
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def network(variant):
    """Folded, as it is served; in float32."""
    return fold(a_generator(variant))


def test_every_key_and_shape_is_there(variant):
    """Names, shapes and order of the original's state dict."""
    keys = json.loads((GOLDEN / f"keys-{variant}.json").read_text())

    with torch.device("meta"):
        state = Generator(variant).state_dict()

    assert [(key, [*value.shape]) for key, value in state.items()] == [*keys.items()]


@pytest.mark.parametrize("side", [64, 80, 160])
@torch.inference_mode()
def test_outputs_agree(network, variant, side):
    """No value differs by more than 1e-4, on even and odd multiples of 16."""
    given, expected = np.load(GOLDEN / "inputs.npz"), np.load(GOLDEN / f"outputs-{variant}.npz")

    output = network(torch.from_numpy(given[f"input_{side}"])).numpy()

    assert np.abs(output - expected[f"output_{side}"]).max() <= 1e-4


@pytest.mark.parametrize(("photo", "factor"), [("photo-gray", 10), ("photo-sepia", 7)])
@torch.inference_mode()
def test_the_whole_filter_agrees(network, variant, photo, factor):
    """At most 3 levels off, 99 % of the values identical: for the colours and for the photo."""
    pixels = np.asarray(Image.open(GOLDEN / f"{photo}.png").convert("RGB"))

    made = original_filter(
        pixels, lambda x: (network(torch.from_numpy(x)).numpy(),), render_factor=factor
    )

    for picture, name in zip(made, ("-raw", ""), strict=True):
        file = GOLDEN / f"{photo}-{variant}-rf{factor}{name}.png"
        if not file.is_file():
            continue  # the sepia photo's own colours are not among the fixtures
        expected = np.asarray(Image.open(file).convert("RGB")).astype(int)
        difference = np.abs(picture - expected)
        assert difference.max() <= 3
        assert (difference == 0).mean() >= 0.99


def test_served_it_stays_close(network, variant, tmp_path):
    """In bfloat16, where the processor has units for it, colours are within 2 levels on average."""
    pixels = np.asarray(Image.open(GOLDEN / "photo-gray.png").convert("RGB"))
    write_folded(network, tmp_path / "w.safetensors", {})
    served = load_network(tmp_path / "w.safetensors", "cpu")

    made = original_filter(pixels, served, render_factor=10)

    for picture, name in zip(made, ("-raw", ""), strict=True):
        expected = Image.open(GOLDEN / f"photo-gray-{variant}-rf10{name}.png").convert("RGB")
        assert np.abs(picture - np.asarray(expected).astype(int)).mean() <= 2
