import cv2
import numpy as np
import torch

from darkroom.networks.defects import DefectNetwork
from tests.rooms import draw_room
from training.grain import measure_texture, train_grain
from training.samples import shallow_focus


def test_training_on_texture_brings_the_loss_down(tmp_path):
    """On a pool of a few dozen degraded rooms more epochs give a lower loss."""
    photos = []
    for seed in range(4):
        photos.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(photos[-1]), draw_room(seed, 168, 112))
    pool = measure_texture(tuple(photos), np.random.default_rng(0), count=48)

    losses = []
    for epochs in (1, 15):
        torch.manual_seed(0)
        losses.append(train_grain(DefectNetwork(), pool, epochs))

    assert losses[1] < 0.8 * losses[0]


def test_shallow_focus_leaves_one_place_as_it_is():
    """Some of the photo keeps every pixel, most of it loses its detail."""
    grain = np.random.default_rng(0).integers(0, 256, (160, 240, 3), dtype=np.uint8)

    for seed in range(5):
        shallow = shallow_focus(grain, np.random.default_rng(seed))
        same = (shallow == grain).all(axis=2)
        far = np.abs(np.diff(shallow[:8].astype(int), axis=1)).mean()

        assert 0.01 < same.mean() < 0.5
        assert far < 0.5 * np.abs(np.diff(grain[:8].astype(int), axis=1)).mean()
