import cv2
import numpy as np
import pytest

from darkroom.imaging.metrics import psnr
from darkroom.imaging.resizing import shrink
from darkroom.imaging.upsampling import apply_lines, describe
from tests.photos import load_photo
from tests.rooms import draw_room


def noisy(clean, sigma=20):
    grain = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(clean + grain, 0, 255).astype(np.uint8)


def mend_at(full, clean, factor, is_noisy, strength=1.0):
    """As if a network restored the shrunken photo perfectly."""
    size = (full.shape[0] // factor, full.shape[1] // factor)
    lines = describe(full, shrink(full, *size), shrink(clean, *size), noisy=is_noisy)
    return apply_lines(full, lines, strength)


def test_noise_goes_at_full_size():
    """What was restored at a third of each side takes the noise off the full photo, too."""
    clean = draw_room(1, 603, 450)
    photo = noisy(clean)

    assert psnr(mend_at(photo, clean, 3, is_noisy=True), clean) > psnr(photo, clean) + 5


def test_edges_stay_where_they_are():
    """Enlarging the restored photo itself would blur its edges; this does not."""
    clean = load_photo("coffee")
    photo = noisy(clean, 8)
    enlarged = cv2.resize(shrink(clean, 133, 200), (600, 400), interpolation=cv2.INTER_CUBIC)

    assert psnr(mend_at(photo, clean, 3, is_noisy=True), clean) > psnr(enlarged, clean) + 2


def test_texture_survives():
    """A fine pattern that the working size cannot show is kept, though its neighbour is noisy."""
    clean = np.full((300, 420, 3), 128, np.uint8)
    clean[:, 200::2] += 40
    photo = noisy(clean, 4)

    mended = mend_at(photo, clean, 3, is_noisy=True)

    assert mended[:, 240:].std() > 0.9 * clean[:, 240:].std()
    assert mended[:, :180].std() < 0.6 * photo[:, :180].std()


def test_without_noise_nothing_is_smoothed():
    """Restored equal to what it was, the photo stays as it is."""
    photo = draw_room(2, 400, 300)

    assert psnr(mend_at(photo, photo, 3, is_noisy=False), photo) > 45


def test_strength_zero_is_the_photo():
    """Strength 0 leaves every pixel."""
    clean = draw_room(2, 400, 300)
    photo = noisy(clean)

    assert np.array_equal(mend_at(photo, clean, 2, is_noisy=True, strength=0), photo)


@pytest.mark.parametrize("size", [(31, 17), (200, 3), (1, 1)])
def test_any_size(size):
    """Tiny and narrow photos come back at their own size."""
    photo = draw_room(2, 64, 48)[: size[0], : size[1]]

    assert mend_at(photo, photo, 1, is_noisy=True).shape == photo.shape
