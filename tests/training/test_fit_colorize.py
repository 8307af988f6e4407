import numpy as np
import pytest

from training.fit_colorize import Setting, choose
from training.hues import hue_table


def test_highest_gain_within_bounds_is_chosen():
    """Neither the palest, which gains most, nor a vivid one that gains too little."""
    pale = Setting(1.0, 1.0, gain_db=3.0, vivid=0.4)
    wild = Setting(0.2, 1.4, gain_db=1.0, vivid=0.9)
    good = Setting(0.5, 1.1, gain_db=2.2, vivid=0.8)
    worse = Setting(0.4, 1.1, gain_db=1.9, vivid=0.85)

    assert choose([pale, wild, good, worse]) == good


def test_untrained_network_is_refused():
    """When nothing keeps the bounds that is said, not papered over."""
    with pytest.raises(ValueError, match="bounds"):
        choose([Setting(1.0, 1.0, gain_db=0.2, vivid=0.3)])


def _plain(red, green, blue):
    return np.full((80, 96, 3), (red, green, blue), np.uint8)


def test_hues_that_are_met_and_missed():
    """A blue sky that stayed blue is met, a lawn that turned brown is not; a wall turned purple."""
    sky, lawn, wall = _plain(100, 150, 220), _plain(70, 130, 50), _plain(128, 128, 128)

    table = hue_table(
        [(_plain(110, 150, 210), sky), (_plain(140, 95, 50), lawn), (_plain(170, 100, 170), wall)]
    )

    assert table["sky, blue"]["met"] == 1
    assert table["grass, leaves"]["met"] == 0
    assert table["grey"]["purple"] == 1
