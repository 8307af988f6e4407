"""DeOldify's generators compute what the original ones do.

The outputs here were noted when the same code agreed with the original to 4e-6 on the fixtures made
with it; `test_deoldify_golden.py` compares with those themselves, where they are at hand.
"""

import hashlib

import numpy as np
import pytest
import torch

from darkroom.networks.deoldify.folding import fold
from darkroom.networks.deoldify.generator import Generator
from darkroom.networks.deoldify.layers import SelfAttention, Shuffle, SpectralConv, WeightNormConv
from tests.networks.deoldify_weights import a_generator, an_input, listing

FACTS = {  # entries of the state dict, parameters, SHA-256 of all names and shapes in order
    "artistic": (
        378,
        63_646_881,
        "31723e688bab46bc0d2303696238bb23c549786405e3ef71f743f9e520645051",
    ),
    "stable": (
        754,
        218_222_197,
        "79187427888223d46c0d4d6b36d69a2036ce7ba333d93d04f8a581ea7ece0ce9",
    ),
}
# At (0, 0), (24, 31) and (47, 47) of a side of 48, an odd multiple of 16; then mean and deviation.
OUTPUTS = {
    "artistic": (
        (-0.9052331, -0.7874660, 0.7594781),
        (-2.8543108, -2.4601939, 0.7586455),
        (-0.7756715, -0.8134465, 0.2651901),
        (-1.1453768, 1.6504813),
    ),
    "stable": (
        (-0.8777208, -0.1716597, 0.1822186),
        (-1.6223540, -0.8700318, 0.8359187),
        (-0.3492632, -0.0233002, 0.1111152),
        (-0.4390001, 0.9671608),
    ),
}


@pytest.mark.parametrize("variant", FACTS)
def test_names_and_shapes_are_those_of_the_checkpoints(variant):
    """Every entry, in order: official files load strictly."""
    with torch.device("meta"):
        network = Generator(variant)
    state = network.state_dict()

    digest = hashlib.sha256(listing((k, v.shape) for k, v in state.items()).encode())

    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert (len(state), parameters, digest.hexdigest()) == FACTS[variant]


@pytest.mark.parametrize("variant", FACTS)
@torch.inference_mode()
def test_outputs_are_the_original_s_folded_or_not(variant):
    """To 1e-4, with spectral norms as they are stored and after they have become plain kernels."""
    network = a_generator(variant)

    for form in (network, fold(network)):
        output = form(an_input(48))[0]
        seen = (*(output[:, y, x].tolist() for y, x in ((0, 0), (24, 31), (47, 47))),)
        np.testing.assert_allclose(seen, OUTPUTS[variant][:3], rtol=0, atol=1e-4)
        spread = (float(output.mean()), float(output.std()))
        np.testing.assert_allclose(spread, OUTPUTS[variant][3], rtol=0, atol=1e-4)


def test_folding_leaves_plain_layers_alone():
    """No norm is left but those behind a ReLU, whose offset zero padding does not let through."""
    with torch.device("meta"):
        network = fold(Generator("stable"))

    assert not any(isinstance(m, SpectralConv | WeightNormConv) for m in network.modules())
    kept = [name for name, m in network.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(kept) == 1 + 2 + 4 + 4  # the encoder's end, the middle, each block's conv and skip
    assert not any("layers.0." in name or ".shuf." in name for name in kept)


def test_attention_sums_to_one_over_the_queries():
    """Against the plain formula, axis by axis; the textbook's order would differ."""
    torch.manual_seed(0)
    attention, x = SelfAttention(16).eval(), torch.randn(2, 16, 3, 5)
    attention.gamma.data.fill_(0.7)

    with torch.no_grad():
        flat = x.flatten(2)
        query, key, value = attention.query(flat), attention.key(flat), attention.value(flat)
        shares = torch.softmax(query.transpose(1, 2) @ key, dim=1)
        expected = x + 0.7 * (value @ shares).reshape(x.shape)
        torch.testing.assert_close(attention(x), expected)


def test_the_blur_looks_up_and_left():
    """Each pixel is the mean of itself and its neighbours above and to the left."""
    shuffle = Shuffle(torch.nn.Sequential())
    x = torch.arange(4.0).reshape(1, 4, 1, 1)  # becomes [[0, 1], [2, 3]]

    assert shuffle(x).tolist() == [[[[0.0, 0.5], [1.0, 1.5]]]]


@torch.inference_mode()
def test_spectral_norm_uses_what_is_stored():
    """The kernel is divided by u·Wv; u and v stay as they came."""
    conv = SpectralConv(2, 3, (1, 1))
    conv.weight_u.copy_(torch.tensor([1.0, 0, 0]))
    conv.weight_v.copy_(torch.tensor([0.0, 1]))
    conv.weight_orig.fill_(4.0)

    assert torch.allclose(conv(torch.ones(1, 2, 1, 1)), torch.tensor(2.0))
    assert conv.weight_u.tolist() == [1.0, 0.0, 0.0]
