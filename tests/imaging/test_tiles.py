import cv2
import numpy as np
import pytest

from darkroom.imaging.metrics import psnr
from darkroom.imaging.tiles import Canvas, Tiling, apply_correction, longest_covered, tiles_along
from tests.rooms import draw_room

SIZES = [(48, 64), (88, 88), (89, 88), (300, 150), (130, 410), (1, 5)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_of_any_photo_add_up(height, width):
    """A correction that is the same everywhere comes back as such: no seam, no gap, no edge."""
    canvas = Canvas(Tiling(height, width, 88))
    for index in range(len(canvas.tiling.places)):
        canvas.add(index, np.full((88, 88, 3), -20, np.float32))

    corrected = apply_correction(np.full((height, width, 3), 100, np.uint8), canvas.steps, 1.0)

    assert corrected.shape == (height, width, 3)
    assert (corrected == 80).all()


def test_tiles_give_what_the_whole_gives():
    """A filter that reaches 15 pixels, tile by tile, is within 50 dB of the filter on the whole."""
    photo = draw_room(3, 333, 250)

    def correction(pixels):
        return (cv2.GaussianBlur(pixels, (31, 31), 5).astype(np.float32)) - pixels

    canvas = Canvas(Tiling(250, 333, 104))
    for index, tile in enumerate(canvas.tiling.cut(photo)):
        canvas.add(index, correction(tile))
    tiled = apply_correction(photo, canvas.steps, 1.0)

    # At the photo's own border the whole sees no more than the tiles do.
    assert psnr(tiled, cv2.GaussianBlur(photo, (31, 31), 5)) > 50


def test_tiles_that_do_not_agree_fade_into_each_other():
    """Two neighbours 60 levels apart: nowhere is there a step of more than a few levels."""
    canvas = Canvas(Tiling(88, 140, 88))
    for index, level in enumerate((30, -30)):
        canvas.add(index, np.full((88, 88, 3), level, np.float32))

    row = apply_correction(np.full((88, 140, 3), 100, np.uint8), canvas.steps, 1.0)[40, :, 0]

    assert (row[0], row[-1]) == (130, 70)
    assert np.abs(np.diff(row.astype(int))).max() <= 3


def test_strength_weakens_and_levels_stay_in_range():
    """Half the strength adds half the correction; beyond black and white it is cut off."""
    canvas = Canvas(Tiling(88, 88, 88))
    canvas.add(0, np.full((88, 88, 3), 200, np.float32))
    photo = np.full((88, 88, 3), 90, np.uint8)

    assert (apply_correction(photo, canvas.steps, 0.5) == 190).all()
    assert (apply_correction(photo, canvas.steps, 1.0) == 255).all()


def test_as_few_tiles_as_will_do():
    """The longest side that n tiles cover needs n of them, one pixel more needs another."""
    for count in (1, 2, 7):
        longest = longest_covered(count, 352)
        assert (tiles_along(longest, 352), tiles_along(longest + 1, 352)) == (count, count + 1)
