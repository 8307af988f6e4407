from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.imaging.metrics import psnr
from darkroom.networks.lite import KNOTS, LiteGenerator, normalise
from darkroom.networks.weights import read_weights
from tests.rooms import draw_room
from training.colour_loss import judge, rarity_of, share_out
from training.colour_photos import as_square, stack
from training.colouring import colour, to_grey
from training.photos import bundled_photo

WEIGHTS = Path("model-store/weights/colorize.safetensors")


@pytest.mark.parametrize("side", [112, 176])
def test_chroma_comes_at_the_squares_own_size(side):
    """Sides that are multiples of 16 but not of 32 work as well, and chroma stays in range."""
    torch.manual_seed(0)
    network = LiteGenerator().eval()
    torch.nn.init.normal_(network.head.weight, std=20.0)
    network.temperature.fill_(0.1)

    with torch.inference_mode():
        chroma = network(normalise(torch.rand(2, side, side)))

    assert chroma.shape == (2, 2, side, side)
    assert 0.02 < chroma.abs().max() <= 0.5


def test_an_odd_side_sees_the_same_as_an_even_one():
    """Colours do not shift where the deepest features are cut off by half a cell."""
    torch.manual_seed(0)
    network = LiteGenerator().eval()
    torch.nn.init.normal_(network.head.weight, std=20.0)
    network.temperature.fill_(0.1)
    luma = torch.full((1, 176, 176), 0.5)
    luma[:, :, 40:88] = 0.9

    with torch.inference_mode():
        odd = network(normalise(luma))
        even = network(normalise(torch.nn.functional.pad(luma, (0, 16, 0, 16), value=0.5)))

    middle = slice(40, 120)  # far from where the two end
    difference = (odd - even[:, :, :176, :176])[:, :, middle, middle]
    assert difference.abs().max() < 0.25 * odd[:, :, middle, middle].std()


def test_cold_settles_on_the_likeliest_colour():
    """At temperature 1 two equally likely colours give their mean, the colder the less of it."""
    network = LiteGenerator()
    logits = torch.full((1, len(KNOTS) ** 2, 1, 1), -30.0)
    logits[0, 0], logits[0, -1] = 1.0, 0.0

    warm, cold = (network.decide(logits, t).flatten() for t in (1.0, 0.1))

    expected = KNOTS[0] * (1 - 2 / (1 + np.e))
    assert torch.allclose(warm, torch.tensor(expected, dtype=torch.float32), atol=1e-3)
    assert torch.allclose(cold, torch.tensor(KNOTS[0]), atol=1e-3)


def test_loss_falls_on_one_batch():
    """A few steps on two rooms bring the cross entropy of their colours down."""
    torch.manual_seed(0)
    network = LiteGenerator()
    squares = stack([as_square(draw_room(seed, 96, 64), 64, None) for seed in range(2)])
    indices, shares = share_out(squares.chroma)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(6):
        likely = torch.log_softmax(judge(network, squares), dim=1)
        loss = -(likely.gather(1, indices) * shares).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < 0.9 * losses[0]


def test_rare_colours_count_more_and_all_together_one():
    """The rebalancing changes who counts, not how much everything counts."""
    common = torch.zeros(len(KNOTS) ** 2)
    common[84], common[5] = 0.95, 0.05

    rarity = rarity_of(common)

    assert rarity[5] > 1.5 * rarity[84]
    assert (rarity * common).sum() == pytest.approx(1)


@pytest.fixture(scope="module")
def trained() -> LiteGenerator:
    network = LiteGenerator()
    read_weights(WEIGHTS, network)
    return network


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_shipped_weights_come_nearer_than_grey(trained, name):
    """Photos of the world, which no training saw, come out nearer to the truth than grey."""
    truth = bundled_photo(name)

    coloured = colour(trained, truth)

    assert psnr(coloured, truth) > psnr(to_grey(truth), truth)
