import numpy as np
import pytest
import torch

from darkroom.contracts.defects import Defect
from darkroom.imaging.tone_map import apply_tone_map
from darkroom.imaging.views import STATISTICS, statistics_of
from darkroom.inference.tone import asked_vector, load_toner
from darkroom.networks.tone import MENDED, ToneNetwork
from darkroom.networks.weights import write_weights
from tests.rooms import draw_room
from training.degradations import Recipe
from training.tone import loss_of
from training.tone_pairs import make_pair


def test_untrained_network_is_the_identity():
    """Before training every photo is left as it is: training starts from doing no harm."""
    network = ToneNetwork()

    curves, grid = network(
        torch.randint(0, 256, (2, 192, 192, 3), dtype=torch.uint8),
        torch.rand(2, STATISTICS),
        torch.ones(2, len(MENDED)),
    )

    assert torch.allclose(curves[0, 0], torch.arange(256) / 255, atol=1e-5)
    assert torch.allclose(grid, torch.eye(3, 4).expand(2, 8, 8, 3, 4))


def test_curves_never_fall():
    """Whatever the weights, brighter stays brighter along each curve."""
    network = ToneNetwork()
    torch.nn.init.normal_(network.curve_head.weight, std=1.0)

    curves, _ = network(
        torch.randint(0, 256, (1, 192, 192, 3), dtype=torch.uint8),
        torch.rand(1, STATISTICS),
        torch.zeros(1, len(MENDED)),
    )

    assert (curves.diff(dim=2) > 0).all()


def test_loss_falls_on_one_batch():
    """A few steps on one batch of dark rooms bring the loss down."""
    torch.manual_seed(0)
    network = ToneNetwork()
    recipe, asked = Recipe({Defect.LOW_LIGHT: 0.6}, 1), frozenset({Defect.LOW_LIGHT})
    batch = [make_pair(draw_room(seed, 96, 64), recipe, asked) for seed in range(2)]
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        loss = loss_of(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < 0.98 * losses[0]


def test_loaded_toner_computes_what_the_network_does(tmp_path):
    """The service's runtime agrees with torch to a fraction of a level."""
    torch.manual_seed(0)
    network = ToneNetwork().eval()
    torch.nn.init.normal_(network.grid_head.weight, std=0.01)
    write_weights(tmp_path / "tone.safetensors", network, {})
    thumbnail = draw_room(1, 192, 192)
    defects = frozenset({Defect.HAZY})

    (tone_map,) = load_toner(tmp_path / "tone.safetensors", "cpu").plan([(thumbnail, defects)])

    with torch.inference_mode():
        curves, grid = network(
            torch.from_numpy(thumbnail[None]),
            torch.from_numpy(statistics_of(thumbnail)[None]),
            torch.from_numpy(asked_vector(defects)[None]),
        )
    assert np.abs(tone_map.curves - curves[0].numpy()).max() < 0.01
    assert np.abs(tone_map.grid - grid[0].numpy()).max() < 0.02


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A toner before training, converted once for this module."""
    weights = tmp_path_factory.mktemp("untrained") / "tone.safetensors"
    write_weights(weights, ToneNetwork(), {})
    return load_toner(weights, "cpu")


@pytest.mark.parametrize("count", [1, 3])
def test_any_batch_size(untrained, count):
    """A batch of three comes back as three maps."""
    asked: list[tuple[np.ndarray, frozenset[Defect]]] = [
        (draw_room(seed, 192, 192), frozenset()) for seed in range(count)
    ]

    assert len(untrained.plan(asked)) == count


def test_flat_photo_is_stretched_and_an_even_one_left(untrained):
    """For flat contrast alone the untrained identity moves half-way to the full range of levels."""
    flat = (100 + 0.2 * draw_room(1, 192, 192)).astype(np.uint8)
    even = np.full((192, 192, 3), 120, np.uint8)
    asked = frozenset({Defect.LOW_CONTRAST})

    stretched, left = untrained.plan([(flat, asked), (even, asked)])

    before, after = np.ptp(flat), np.ptp(apply_tone_map(flat, stretched))
    assert before < 60
    assert 1.8 * before < after < 255
    assert np.abs(apply_tone_map(even, left).astype(int) - even).max() <= 1
