import numpy as np
import pytest

from darkroom.imaging.lines import LONG_SIDE_PX, find_lines
from tests.rooms import draw_room
from training.degradations.geometry import rotate


def turned(picture, degrees):
    """A picture seen by a tilted camera: turned counter-clockwise, without black corners."""
    return np.rint(255 * rotate((picture / 255).astype(np.float32), degrees)).astype(np.uint8)


def stripes(width, height, angle=0.0):
    """Soft upright stripes that lean counter-clockwise by `angle` degrees, 20 px apart."""
    y, x = np.mgrid[:height, :width]
    phase = (x - np.tan(np.radians(angle)) * y) / 20 * np.pi
    grey = 128 + 100 * np.tanh(3 * np.sin(phase))
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("angle", [-7.3, -0.4, 0.0, 0.2, 5.0, 12.5])
def test_direction_is_found_to_a_twentieth_of_a_degree(angle):
    """The lean of upright stripes comes back counter-clockwise, also between whole pixels."""
    upright = find_lines(stripes(300, 200, angle)).upright

    assert len(upright.degrees) > 12
    assert abs(np.median(upright.degrees) - angle) < 0.05


def test_level_edges_turn_the_same_way_as_upright_ones():
    """Turning a photo moves both kinds of edges by the same signed angle."""
    picture = np.ascontiguousarray(stripes(200, 300).transpose(1, 0, 2))

    level = find_lines(turned(picture, 4.0)).level

    assert abs(np.median(level.degrees) - 4.0) < 0.1


def test_coordinates_do_not_depend_on_the_size():
    """The same room at twice the size has its edges in the same places, equally long."""
    small, large = (find_lines(draw_room(3, side, side * 3 // 4)).upright for side in (400, 800))

    for edges in (small, large):
        assert np.abs(edges.x).max() <= 0.5 / 0.8
        assert np.abs(edges.y).max() <= 0.375 / 0.8
    longest = [edges.x[np.argmax(edges.length)] for edges in (small, large)]
    assert abs(longest[0] - longest[1]) < 0.01
    assert abs(small.length.max() - large.length.max()) < 0.05


def test_noise_has_no_long_lines():
    """Grain lines up by chance for a few rows, never for as long as a thing does."""
    noise = np.random.default_rng(0).normal(120, 20, (300, 400, 3)).clip(0, 255).astype(np.uint8)

    assert find_lines(noise).upright.length.max() < 0.08


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (2, 1), (1, 5), (7, 3), (20_000, 1), (1, 20_000), (3000, 2)]
)
def test_any_size_will_do(width, height):
    """A dot and a thread have no lines, and raise nothing."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 2 :] = 200

    assert len(find_lines(picture).upright.x) == 0


def test_more_edges_than_there_is_room_for_are_left_out():
    """A comb over the whole frame fills the table and no memory beyond it."""
    comb = np.zeros((LONG_SIDE_PX, LONG_SIDE_PX, 3), np.uint8)
    comb[:, ::4] = comb[:, 1::4] = 255
    comb[::26] = 0

    assert 100 < len(find_lines(comb).upright.x) <= 4000
