from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.imaging.lines import find_lines
from darkroom.imaging.upright import ANGLES, VOTES, count_votes
from darkroom.inference.straighten import MOST_CUT, Tilt, load_straightener, plan_correction
from darkroom.networks.straighten import TiltNetwork
from darkroom.networks.weights import write_weights
from tests.rooms import draw_room
from training.straighten import loss_of, tilt

WEIGHTS = Path(__file__).parents[2] / "model-store" / "weights" / "straighten.safetensors"


@pytest.fixture(scope="module")
def straightener():
    """The one that is delivered."""
    return load_straightener(WEIGHTS, "cpu")


@pytest.mark.parametrize("count", [1, 3])
def test_one_logit_for_each_angle(count):
    assert TiltNetwork()(torch.rand(count, VOTES, len(ANGLES))).shape == (count, len(ANGLES))


def test_loss_falls_on_one_batch():
    """A few steps on a few turned rooms bring the loss down."""
    torch.manual_seed(0)
    network = TiltNetwork()
    turned = [tilt(draw_room(seed, 240, 160), 2.0 * seed, 0.0) for seed in range(4)]
    votes = torch.from_numpy(np.stack([count_votes(find_lines(pixels)) for pixels, _ in turned]))
    degrees = torch.tensor([roll for _, roll in turned])
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        loss = loss_of(network, votes, degrees)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("degrees", [-10.0, -4.0, -1.5, 0.0, 2.5, 7.0, 10.0])
@pytest.mark.parametrize("seed", [1, 4])
def test_a_turned_room_is_found_turned(straightener, seed, degrees):
    """Drawn rooms, which no training saw: the angle to a third of a degree, with confidence."""
    pixels, _ = tilt(draw_room(seed, 640, 480), degrees, 0.0)

    (found,) = straightener.estimate([find_lines(pixels)])

    assert abs(found.degrees - degrees) < 0.3
    assert found.confidence >= straightener.least_confidence


def nothing_straight(picture):
    """Pictures (300, 400, 3) without a straight line in them."""
    y, x = np.mgrid[:300, :400]
    grey = {
        "noise": np.random.default_rng(0).normal(120, 30, (300, 400)),
        "rings": 120 + 80 * np.sin(np.hypot(x - 150, y - 120) / 15),
        "blank": np.full((300, 400), 120),
    }[picture]
    return np.repeat(grey[:, :, None].clip(0, 255), 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("picture", ["noise", "rings", "blank"])
def test_what_has_no_lines_is_left_alone(straightener, picture):
    """Grain, ripples and an empty wall show no tilt that anybody should undo."""
    (found,) = straightener.estimate([find_lines(nothing_straight(picture))])

    assert plan_correction(found, 400, 300, straightener.least_confidence) is None


def test_a_batch_is_its_photos(straightener):
    """Of several photos each gets the answer that it gets alone."""
    lines = [find_lines(draw_room(seed, 320, 240)) for seed in range(3)]

    together = straightener.estimate(lines)

    alone = [straightener.estimate([each])[0] for each in lines]
    assert [round(t.degrees, 3) for t in together] == [round(t.degrees, 3) for t in alone]


@pytest.mark.parametrize(("width", "height"), [(400, 300), (1600, 400), (300, 900)])
@pytest.mark.parametrize("degrees", [3.0, 10.0, -18.0])
def test_never_more_than_the_stated_share_is_cut(width, height, degrees):
    """A panorama is turned less than it is tilted, rather than cut to a strip."""
    found = plan_correction(Tilt(degrees, 8.0, 1.0), width, height, 0.5)

    assert found is None or found.warp.cut_share <= MOST_CUT
    if abs(degrees) <= 10 and width == 400:
        assert found is not None
        assert found.degrees == degrees


@pytest.mark.parametrize(
    ("tilt_found", "mended"),
    [
        (Tilt(0.3, 0.0, 0.99), False),
        (Tilt(0.0, 6.0, 0.99), False),
        (Tilt(0.7, 0.0, 0.99), True),
        (Tilt(0.7, 0.0, 0.49), False),
    ],
)
def test_only_what_shows_is_mended(tilt_found, mended):
    """A tilt of half a degree or convergence alone is left, and so is a mere guess."""
    assert (plan_correction(tilt_found, 400, 300, 0.5) is not None) is mended


def test_half_the_strength_is_half_the_angle():
    found = plan_correction(Tilt(6.0, 0.0, 1.0), 400, 300, 0.5, strength=0.5)

    assert found is not None
    assert found.degrees == 3.0


def test_weights_round_trip(tmp_path):
    """What is written comes back with the confidence that was fitted."""
    write_weights(tmp_path / "s.safetensors", TiltNetwork(), {"least_confidence": "0.7"})

    assert load_straightener(tmp_path / "s.safetensors", "cpu").least_confidence == 0.7
