"""`darkroom/imaging/adjust.py`: the manual sliders."""

import json
from pathlib import Path

import numpy as np
import pytest

from darkroom.contracts.adjust import Adjustments
from darkroom.imaging.adjust import LUMA, adjust, tone_map_of, turn

# The page's own copy of the formulas is held to the same table, by `web/test/adjust.test.ts`.
TABLE = json.loads(Path(__file__).with_name("adjusted_colours.json").read_text())


def a_picture(height=60, width=90):
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row["adjustments"]))
def test_colours_move_as_the_table_says(row):
    """Black, white, grey, two colours and two near the ends, after each slider and after all."""
    before = np.array([[pair["from"] for pair in row["colours"]]], np.uint8)

    after = adjust(before, Adjustments(**row["adjustments"]))

    assert after[0].tolist() == [pair["to"] for pair in row["colours"]]


@pytest.mark.parametrize(
    ("slider", "value", "level", "expected"),
    [
        ("exposure", 1, 128, 255 * (1.055 * (2 * 0.21586 / 1.21586) ** (1 / 2.4) - 0.055)),
        ("exposure", -1, 128, 255 * (1.055 * (0.21586 / 2) ** (1 / 2.4) - 0.055)),
        ("contrast", 1, 64, 255 * (3 * 0.25098**2 - 2 * 0.25098**3)),
    ],
)
def test_a_grey_moves_as_the_formula_says(slider, value, level, expected):
    """Worked by hand from the module's own words: the table cannot be wrong with the code."""
    grey = np.full((2, 3, 3), level, np.uint8)

    assert adjust(grey, Adjustments(**{slider: value}))[0, 0] == pytest.approx(expected, abs=0.51)


def test_nothing_turned_changes_nothing():
    """With all sliders at 0 it is the same array."""
    picture = a_picture()

    assert adjust(picture, Adjustments()) is picture


@pytest.mark.parametrize(
    "sliders", [{"warmth": 0.8}, {"warmth": -1}, {"tint": 0.9}, {"tint": -0.4}]
)
def test_balance_shifts_the_colour_and_hardly_the_light(sliders):
    """The luma of a middle grey, in linear light, stays within a tenth where its colour moves."""
    curves = tone_map_of(Adjustments(**sliders)).curves[:, 118]
    light = ((curves + 0.055) / 1.055) ** 2.4

    assert np.ptp(curves) > 0.02
    assert LUMA @ light == pytest.approx(((118 / 255 + 0.055) / 1.055) ** 2.4, rel=0.1)


def test_straightening_turns_clockwise():
    """What lies to the right of the centre goes down."""
    picture = np.zeros((121, 181, 3), np.uint8)
    picture[58:63, 148:153] = 255  # 60 to the right

    turned = turn(picture, 10)

    rows, columns = np.nonzero(turned[..., 0] > 128)
    height, width = turned.shape[:2]
    assert rows.mean() - (height - 1) / 2 == pytest.approx(60 * np.sin(np.radians(10)), abs=0.7)
    assert columns.mean() - (width - 1) / 2 == pytest.approx(60 * np.cos(np.radians(10)), abs=0.7)


@pytest.mark.parametrize("degrees", [-15, 3, 12])
def test_straightening_keeps_the_shape_and_invents_nothing(degrees):
    """The crop has the photo's own shape, is the largest there is, and shows no corner."""
    height, width = 200, 300
    angle = np.radians(abs(degrees))
    share = min(
        width / (width * np.cos(angle) + height * np.sin(angle)),
        height / (width * np.sin(angle) + height * np.cos(angle)),
    )

    turned = turn(np.full((height, width, 3), 200, np.uint8), degrees)

    assert turned.shape[:2] == pytest.approx((share * height, share * width), abs=1.5)
    assert turned.min() == 200
