import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.contracts.defects import Defect
from darkroom.imaging.metrics import psnr
from darkroom.imaging.tiles import apply_correction
from darkroom.inference.restore import Restorer, load_restorer, told_vector
from darkroom.inference.tiled import Work, correct_photos
from darkroom.networks.restore import MENDED, RestoreNetwork
from darkroom.networks.serving import convert
from darkroom.networks.weights import write_weights
from tests.rooms import draw_room
from training.damage import Damage, make_pair
from training.restore import loss_of

TRAINED = Path("model-store/weights/restore.safetensors")


def a_network(spread=0.02):
    """Untrained weights that do something."""
    torch.manual_seed(0)
    network = RestoreNetwork().eval()
    torch.nn.init.normal_(network.tail.weight, std=spread)
    torch.nn.init.normal_(network.told[2].weight, std=0.1)
    return network


def test_untrained_network_adds_nothing():
    """Before training every photo is left as it is, whatever the network is told."""
    tiles = torch.randint(0, 256, (2, 40, 64, 3), dtype=torch.uint8)

    correction = RestoreNetwork()(tiles, torch.rand(2, len(MENDED)))

    assert correction.shape == (2, 40, 64, 3)
    assert (correction == 0).all()


def test_what_it_is_told_matters():
    """The same tile, other severities, another correction."""
    tiles = torch.from_numpy(draw_room(1, 64, 48)[None])

    with torch.inference_mode():
        first, second = (a_network()(tiles, torch.full((1, 3), s)) for s in (0.1, 0.9))

    assert (first - second).abs().max() > 0.1


def test_loss_falls_on_one_batch():
    """A few steps on one batch of noisy rooms bring the loss down."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = RestoreNetwork()
    damage = Damage({Defect.NOISY: 0.8}, 1)
    batch = [make_pair(draw_room(seed, 120, 120), damage, rng) for seed in range(2)]
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(8):
        loss = loss_of(network, batch, "cpu")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < 0.98 * losses[0]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ({Defect.BLUR: 0.7}, 0.0),
        ({Defect.BLUR: 0.3}, 1.0),
        ({Defect.BLUR: 0.7, Defect.NOISY: 0.3}, 1.0),
    ],
)
def test_correction_of_strong_blur_alternates_nowhere(told, left):
    """A grid of single pixels goes where the photo was blurred alone, and stays for noise."""
    grid = np.where(np.indices((1, 16, 32, 3))[1:3].sum(axis=0) % 2, 8, -8).astype(np.float32)
    restorer = Restorer(lambda _: lambda *_: (grid.copy(),))

    correction = restorer.correct(np.zeros((1, 16, 32, 3), np.uint8), told_vector(told)[None])

    assert np.abs(correction).max() == 8 * left


def test_severities_fade_as_a_photo_shrinks():
    """At a third of the size noise is fainter, and a blur of two pixels is none."""
    severities = {Defect.NOISY: 0.5, Defect.BLUR: 0.2}

    full, third = told_vector(severities), told_vector(severities, 1 / 3)

    assert full == pytest.approx([0.5, 0.2, 0])
    assert 0.2 < third[0] < 0.5
    assert third[1] == 0


def test_loaded_restorer_computes_what_the_network_does(tmp_path):
    """The service's runtime agrees with torch to a fraction of a level, at full and half tiles."""
    network = a_network()
    write_weights(tmp_path / "restore.safetensors", network, {})
    convert(tmp_path / "restore.safetensors")
    restorer = load_restorer(tmp_path / "restore.safetensors", "cpu")
    for side in (352, 176):
        tiles = draw_room(1, side, side)[None]
        told = np.full((1, 3), 0.5, np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(tiles), torch.from_numpy(told)).numpy()

        error = restorer.correct(tiles, told) - expected

        assert expected.std() > 1
        assert error.std() < 0.03 * expected.std() + 0.1


@pytest.mark.skipif(not TRAINED.exists(), reason="the weights are not there")
def test_trained_restorer_leaves_no_seams(tmp_path):
    """A noisy photo in half tiles is within 50 dB of the same in one: overlap and fading suffice.

    And it is better than it was.
    """
    clean = draw_room(5, 352, 352)
    grain = np.random.default_rng(0).normal(0, 15, clean.shape)
    noisy = np.clip(clean + grain, 0, 255).astype(np.uint8)
    weights = Path(shutil.copy(TRAINED, tmp_path))
    convert(weights)
    restorer = load_restorer(weights, "cpu")
    work = [Work(noisy, told_vector({Defect.NOISY: 0.45}))]

    whole, tiled = (
        apply_correction(noisy, correct_photos(restorer, work, side, 4).canvases[0].steps, 1.0)
        for side in (352, 176)
    )

    assert psnr(whole, clean) > psnr(noisy, clean) + 4
    assert psnr(tiled, whole) > 50
