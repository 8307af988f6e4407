import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from darkroom.imaging.metrics import psnr
from tests.rooms import draw_room
from training.degradations import Recipe, cast, compression, degrade, draw_recipe, lens, sensor
from training.degradations.geometry import largest_upright, rotate
from training.degradations.light import LUMA, to_linear, to_srgb

IN_PLACE = [defect for defect in Defect if defect is not Defect.ROTATION]


def a_room() -> np.ndarray:
    return draw_room(5, 168, 112)


@pytest.mark.parametrize("defect", Defect)
def test_same_recipe_same_picture(defect):
    """A recipe is a picture: run twice it gives the same one, with another seed another."""
    once = degrade(a_room(), Recipe({defect: 0.6}, 1))
    again = degrade(a_room(), Recipe({defect: 0.6}, 1))

    assert np.array_equal(once.pixels, again.pixels)
    assert once.severities == again.severities
    if defect is not Defect.ROTATION:
        other = [degrade(a_room(), Recipe({defect: 0.6}, seed)).pixels for seed in range(2, 5)]
        assert any(not np.array_equal(once.pixels, picture) for picture in other)


@pytest.mark.parametrize("defect", IN_PLACE)
def test_more_severity_is_more_damage(defect):
    """Each defect moves the photo further from the clean one as its severity grows."""
    room = a_room()

    damage = [
        np.mean([psnr(degrade(room, Recipe({defect: s}, seed)).pixels, room) for seed in range(4)])
        for s in (0.2, 0.5, 0.9)
    ]

    assert damage[0] > damage[1] > damage[2]


def test_nothing_asked_changes_nothing():
    """An empty recipe returns the clean photo and no severities."""
    degraded = degrade(a_room(), Recipe({}, 1))

    assert np.array_equal(degraded.pixels, a_room())
    assert set(degraded.severities.values()) == {0.0}


def test_leaving_one_out_keeps_the_others_draws():
    """Without its cast a dark photo has the very same darkness: pairs for single defects hold."""
    both = Recipe({Defect.LOW_LIGHT: 0.5, Defect.POOR_WHITE_BALANCE: 0.5}, 3)

    left = degrade(a_room(), both.without({Defect.POOR_WHITE_BALANCE}))
    alone = degrade(a_room(), Recipe({Defect.LOW_LIGHT: 0.5}, 3))

    assert np.array_equal(left.pixels, alone.pixels)


def test_darkness_brings_noise_into_the_truth():
    """Underexposure is noisy: the true severities say so though nobody asked for noise."""
    degraded = degrade(a_room(), Recipe({Defect.LOW_LIGHT: 1.0}, 2))

    assert degraded.severities[Defect.NOISY] > 0


def test_rotation_leaves_no_corner_and_keeps_the_aspect():
    """A turned white frame stays white to its corners, and keeps its proportions."""
    white = np.ones((112, 168, 3), np.float32)

    for degrees in (-10, -3, 4, 9.5):
        turned = rotate(white, degrees)
        assert turned.min() > 0.999
        assert turned.shape[1] / turned.shape[0] == pytest.approx(1.5, abs=0.03)
    assert largest_upright(168, 112, 0) == (167, 111)


def test_cast_keeps_the_luminance_and_follows_black_bodies():
    """Tinting moves colour, not brightness; warmer light is redder, cooler light bluer."""
    room = a_room().astype(np.float32) / 255
    rng = np.random.default_rng(0)

    tinted, _ = cast.poor_white_balance(room, 0.5, rng)

    luminance = [float((to_linear(picture) @ LUMA).mean()) for picture in (room, tinted)]
    assert luminance[0] == pytest.approx(luminance[1], rel=0.05)
    assert cast.planckian(2800)[0] > 0 > cast.planckian(2800)[1]
    assert cast.planckian(12000)[0] < 0 < cast.planckian(12000)[1]


def test_a_cast_counts_by_the_share_of_the_frame_that_it_tints():
    """Never more than asked for, and less where a part of the frame stays white."""
    room = a_room().astype(np.float32) / 255
    half_white = room.copy()
    half_white[:, : room.shape[1] // 2] = 1

    shown = [
        [cast.poor_white_balance(p, 0.5, np.random.default_rng(seed))[1] for seed in range(40)]
        for p in (room, half_white)
    ]

    assert max(shown[0]) <= 0.5
    assert np.mean(shown[0]) > 0.35
    assert np.mean(shown[1]) < np.mean(shown[0]) - 0.05


def test_severity_scales_have_their_documented_values():
    """Noise and compression map severity to σ and quality as their docstrings say, and back."""
    assert [round(sensor.sigma_of(s), 1) for s in (0.2, 0.5, 1)] == [4.5, 17.7, 50.0]
    assert [compression.quality_of(s) for s in (0.2, 0.5, 0.8, 1)] == [50, 21, 9, 5]
    assert sensor.severity_of(sensor.sigma_of(0.4)) == pytest.approx(0.4)
    assert compression.severity_of(compression.quality_of(0.4)) == pytest.approx(0.4, abs=0.02)


def test_noise_has_the_strength_it_claims():
    """On a mid-grey wall the standard deviation is σ within a tenth, whatever the kind."""
    wall = np.full((128, 192, 3), 0.5, np.float32)

    for seed in range(6):
        grain = sensor.noisy(wall, 0.4, np.random.default_rng(seed)) - wall
        assert 255 * grain.std() == pytest.approx(sensor.sigma_of(0.4), rel=0.1)


def test_kernels_sum_to_one():
    """Blur neither brightens nor darkens."""
    rng = np.random.default_rng(0)

    assert lens.disc(3.2).sum() == pytest.approx(1)
    assert lens.stroke(9.0, rng).sum() == pytest.approx(1)


def test_linear_light_round_trip():
    """To linear light and back loses less than a tenth of a level."""
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, -1, 1).repeat(3, axis=2)

    assert np.abs(to_srgb(to_linear(ramp)) - ramp).max() < 0.1 / 255


def test_recipes_are_varied_and_some_are_empty():
    """Drawn recipes have none to three defects, all nine occur, severities lie in (0, 1]."""
    rng = np.random.default_rng(0)
    recipes = [draw_recipe(rng) for _ in range(400)]

    counts = {len(recipe.severities) for recipe in recipes}
    assert counts == {0, 1, 2, 3}
    assert {d for recipe in recipes for d in recipe.severities} == set(Defect)
    assert all(0 < s <= 1 for recipe in recipes for s in recipe.severities.values())
