import contextlib

import pytest

from darkroom.contracts.errors import OutOfTime
from darkroom.imaging.tiles import tiles_along
from darkroom.imaging.working_size import Pace, working_size

LARGE = (3000, 4000)


def a_pace(tile_ms=40.0):
    pace = Pace()
    pace.learn_tiles(1, tile_ms)
    return pace


@pytest.mark.parametrize(("left_ms", "pace"), [(None, a_pace()), (50.0, Pace()), (1e6, a_pace())])
def test_full_size_where_it_fits(left_ms, pace):
    """Without a limit, with nothing measured yet, and with time enough."""
    assert working_size(*LARGE, 352, left_ms, pace) == LARGE


@pytest.mark.parametrize("left_ms", [600.0, 900.0, 2000.0])
def test_what_is_chosen_takes_no_longer_than_is_left(left_ms):
    """The tiles of the working size, and applying them at full size, fit the time."""
    pace = a_pace()

    height, width = working_size(*LARGE, 352, left_ms, pace)

    tiles = tiles_along(height, 352) * tiles_along(width, 352)
    assert tiles * pace.tile_ms + 12 * pace.megapixel_ms < left_ms
    assert height / width == pytest.approx(3 / 4, rel=0.01)


def test_more_time_means_more_pixels():
    """Until the photo's own size is reached."""
    sides = [max(working_size(*LARGE, 352, ms, a_pace(20))) for ms in (500.0, 1000.0, 2000.0, 1e5)]

    assert sides == sorted(set(sides))
    assert sides[-1] == 4000


def test_upright_photos_are_treated_as_level_ones():
    """The aspect ratio is kept either way."""
    level, upright = (working_size(*size, 352, 900.0, a_pace()) for size in (LARGE, LARGE[::-1]))

    assert upright == level[::-1]


def test_too_little_time_is_said():
    """Where not even a small version fits, nothing is begun."""
    with pytest.raises(OutOfTime):
        working_size(*LARGE, 352, 340.0, a_pace())


def test_the_pace_follows_the_machine():
    """A machine that has become slower is soon known to be."""
    pace = a_pace(20)
    for _ in range(10):
        pace.learn_tiles(12, 12 * 60)

    assert 55 < pace.tile_ms < 60


def test_a_pace_that_refuses_every_photo_is_doubted_until_one_is_tried():
    """Tiles once took 20 s while the machine hung: a photo with a second is tried again."""
    pace = a_pace(20_000)

    for _ in range(20):
        with contextlib.suppress(OutOfTime):
            working_size(32, 48, 352, 1000.0, pace)

    assert working_size(32, 48, 352, 1000.0, pace) == (32, 48)
