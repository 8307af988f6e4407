import cv2
import numpy as np
import torch

from darkroom.contracts.defects import Defect
from darkroom.networks.casts import CastNetwork
from darkroom.networks.trunk import Trunk
from tests.rooms import draw_room
from training.casts import draw_lit, make_lit, measure_casts, train_casts
from training.degradations import Recipe
from training.degradations.cast import STRONGEST


def test_light_has_the_length_of_the_cast():
    """The true light is white where nothing is tinted, and as far from it as the severity says."""
    room, rng = draw_room(1, 168, 112), np.random.default_rng(0)

    _, none, white = make_lit(room, Recipe({Defect.HAZY: 0.5}, 1), rng)
    thumbnail, severity, light = make_lit(room, Recipe({Defect.POOR_WHITE_BALANCE: 0.6}, 1), rng)

    assert (none, *white) == (0, 0, 0)
    assert thumbnail.shape == (192, 192, 3)
    assert 0.2 < severity <= 0.6
    assert abs(np.hypot(*light) / STRONGEST - severity) < 0.2 * severity


def test_recipes_have_casts_and_other_light_together_and_apart():
    """Of many recipes some have only a cast, some only another defect, some both, some neither."""
    rng = np.random.default_rng(0)
    drawn = [frozenset(draw_lit(rng).severities) for _ in range(200)]

    tinted = [Defect.POOR_WHITE_BALANCE in defects for defects in drawn]
    lengths = {(cast, len(defects)) for cast, defects in zip(tinted, drawn, strict=True)}
    assert lengths == {(False, 0), (False, 1), (True, 1), (True, 2)}


def test_training_on_casts_brings_the_loss_down(tmp_path):
    """On a pool of a few dozen degraded rooms more epochs give a lower loss."""
    photos = []
    for seed in range(4):
        photos.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(photos[-1]), draw_room(seed, 168, 112))
    trunk = Trunk(stages=6).eval()
    pool = measure_casts(trunk, tuple(photos), np.random.default_rng(0), count=64)

    losses = []
    for epochs in (1, 15):
        torch.manual_seed(0)
        losses.append(train_casts(CastNetwork(trunk.channels), pool, epochs))

    assert losses[1] < 0.9 * losses[0]
