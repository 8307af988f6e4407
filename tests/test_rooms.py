import numpy as np
import pytest

from darkroom.imaging.metrics import psnr
from tests.rooms import draw_room


def test_seed_is_a_room():
    """The same seed draws the same room, another seed another one."""
    assert np.array_equal(draw_room(1, 80, 60), draw_room(1, 80, 60))
    assert psnr(draw_room(1, 80, 60), draw_room(2, 80, 60)) < 25


@pytest.mark.parametrize("seed", range(8))
def test_rooms_are_well_exposed(seed):
    """Rooms serve as good photos: neither dark nor blown out, with some contrast."""
    room = draw_room(seed, 160, 120)

    assert 90 < room.mean() < 190
    assert room.std() > 25
    assert (room.min(axis=2) > 252).mean() < 0.02
