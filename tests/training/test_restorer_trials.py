"""The flaws that the restorer's bounds are stated for: exactly as they are named."""

import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from tests.rooms import draw_room
from training.degradations import compression, sensor
from training.restorer_trials import BLUR, BOUNDS, damage, detail

MIDDLING = np.full((200, 200, 3), 128, np.uint8)  # far from black and white: no noise is clipped


@pytest.mark.parametrize("sigma", [10, 25])
def test_noise_has_the_deviation_of_its_name(sigma):
    """In levels, and the severity said is that of so much noise."""
    noisy, told = damage(MIDDLING, f"noise {sigma}", seed=1)

    assert (noisy - 128.0).std() == pytest.approx(sigma, rel=0.02)
    assert told == {Defect.NOISY: sensor.severity_of(sigma)}


def test_jpeg_is_of_the_quality_of_its_name():
    """Encoding a second time at that quality changes nothing."""
    room = draw_room(3, 480, 360)

    damaged, told = damage(room, "jpeg 20", seed=1)
    again = compression.expand(compression.compress(damaged, 20))

    assert np.abs(damaged - 1.0 * room).mean() > 1
    assert np.abs(damaged - 1.0 * again).mean() < 0.1
    assert told == {Defect.JPEG_ARTIFACTS: compression.severity_of(20)}


@pytest.mark.parametrize("flaw", ["defocus", "motion"])
def test_blur_takes_detail_and_no_light(flaw):
    """Gradients lose a tenth or more, the mean stays."""
    room = draw_room(3, 480, 360)

    blurred, told = damage(room, flaw, seed=1)

    assert detail(blurred) < 0.9 * detail(room)
    assert blurred.mean() == pytest.approx(room.mean(), rel=0.05)
    assert told == {Defect.BLUR: BLUR}


@pytest.mark.parametrize("flaw", BOUNDS)
def test_equal_seeds_spoil_alike(flaw):
    """Every flaw that has a bound can be made, and made again."""
    (one, _), (other, _) = (damage(draw_room(3, 480, 360), flaw, seed=7) for _ in range(2))

    np.testing.assert_array_equal(one, other)
