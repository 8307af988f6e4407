import numpy as np
import pytest

from darkroom.imaging.metrics import ciede2000, colourfulness, psnr, ssim
from tests.photos import load_photo
from tests.rooms import draw_room

ROOM = draw_room(4, 80, 60)
BRIGHTER = np.minimum(ROOM, 245) + np.uint8(10)


def test_psnr_of_a_known_error():
    """Ten levels everywhere are 20 log10(25.5) = 28.13 dB; no error is infinite."""
    dark = np.full((6, 8, 3), 100, np.uint8)

    assert psnr(dark, dark + np.uint8(10)) == pytest.approx(28.13, abs=0.01)
    assert psnr(dark, dark) == float("inf")


def test_ssim_falls_with_damage():
    """One for equal pictures, less for a brighter one, far less for noise."""
    noisy = np.clip(ROOM + np.random.default_rng(0).normal(0, 40, ROOM.shape), 0, 255)

    assert ssim(ROOM, ROOM) == pytest.approx(1)
    assert ssim(ROOM, noisy.astype(np.uint8)) < 0.6 < ssim(ROOM, BRIGHTER) < 1


def test_ciede2000_of_black_and_white():
    """Black and white are 100 apart, equal pictures 0."""
    black, white = np.zeros((6, 8, 3), np.uint8), np.full((6, 8, 3), 255, np.uint8)

    assert ciede2000(black, white) == pytest.approx(100, abs=0.1)
    assert ciede2000(ROOM, ROOM) == 0


def test_colourfulness_of_grey_is_nothing():
    """A grey photo has none, the same photo in colour has some."""
    photo = load_photo("coffee")
    grey = np.repeat(photo[:, :, 1:2], 3, axis=2)

    assert colourfulness(grey) == pytest.approx(0, abs=1e-4)
    assert colourfulness(photo) > 30


def test_colourfulness_follows_its_formula():
    """Half red, half blue: both opponents spread, as computed by hand."""
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, :, 0] = picture[1, :, 2] = 200
    # red-green: 200 and 0; yellow-blue: 100 and -200.
    expected = np.hypot(100, 150) + 0.3 * np.hypot(100, -50)

    assert colourfulness(picture) == pytest.approx(expected)
