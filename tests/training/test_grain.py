import cv2
import numpy as np
import torch

from darkroom.networks.defects import DefectNetwork
from tests.rooms import draw_room
from training.grain import measure_texture, train_grain


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
