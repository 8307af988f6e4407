import cv2
import numpy as np
import pytest

from darkroom.imaging.texture import DETAILED, TEXTURE, cut_patches, texture_of
from tests.photos import to_bytes
from tests.rooms import draw_room

LAG_1, GRID, OFF_GRID, BENDS = 0, 3, 4, 10  # positions of the numbers across


def measured(pixels: np.ndarray) -> np.ndarray:
    return texture_of(cut_patches(pixels))


@pytest.mark.parametrize("size", [(1, 1), (63, 65), (480, 640)])
def test_any_size_gives_eight_patches(size):
    """Shapes do not depend on the photo's size, down to one pixel."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    assert cut_patches(pixels).shape == (8, 64, 64, 3)
    assert measured(pixels).shape == (8, TEXTURE)


def test_patches_are_cut_at_native_resolution_and_ordered_by_detail():
    """Noise keeps its full strength in a patch, and detailed patches come before flat ones."""
    pixels = np.full((1024, 1536, 3), 128, np.uint8)
    grain = np.random.default_rng(0).integers(0, 256, (512, 1536, 3), dtype=np.uint8)
    pixels[:512] = grain

    patches = cut_patches(pixels).astype(float)

    assert patches[:DETAILED].std() > 70
    assert patches[DETAILED:].std() == 0


def test_what_is_in_focus_counts_as_detail_not_the_edges_of_a_soft_background():
    """Fine grain of little contrast is taken before bold stripes that are out of focus."""
    columns = np.arange(1536)
    stripes = 128 + 100 * np.sin(columns / 8)  # the lens has blurred these
    pixels = np.repeat(stripes.astype(np.uint8)[None, :, None], 1024, axis=0).repeat(3, axis=2)
    skin = np.random.default_rng(0).integers(110, 140, (512, 512, 1), dtype=np.uint8)
    pixels[256:768, 512:1024] = skin

    detailed = cut_patches(pixels)[:DETAILED]

    assert detailed.min() >= 110
    assert detailed.max() < 140


def test_clipped_patches_do_not_count_as_flat():
    """A blown window has no noise to see: a flat wall is preferred."""
    pixels = np.full((1024, 1536, 3), 255, np.uint8)
    pixels[:, 768:] = 128

    assert (cut_patches(pixels)[DETAILED:] == 128).all()


def test_same_noise_measures_the_same_in_a_small_and_a_large_photo():
    """Native resolution means that size does not matter."""
    rng = np.random.default_rng(0)
    small, large = (
        np.clip(rng.normal(128, 12, (height, width, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
        for height, width in ((480, 640), (2400, 3200))
    )

    assert measured(small).mean(axis=0) == pytest.approx(measured(large).mean(axis=0), abs=0.02)


def test_blur_lowers_near_differences_more_than_far_ones():
    """That is how blur is told from a photo without detail."""
    room = draw_room(1, 640, 480)
    blurred = np.asarray(cv2.GaussianBlur(room, (0, 0), 3), np.uint8)

    change = (measured(room) - measured(blurred))[:DETAILED].mean(axis=0)

    near, far = change[LAG_1], change[9]
    assert near > far > 0


def test_compression_shows_on_its_grid():
    """After a coarse JPEG neighbours differ more across the 8-pixel grid than off it."""
    room = draw_room(1, 640, 480)
    coarse = cv2.imdecode(np.frombuffer(to_bytes(room, quality=8), np.uint8), cv2.IMREAD_COLOR_RGB)

    on_grid = measured(np.asarray(coarse, np.uint8))[:, GRID] - measured(coarse)[:, OFF_GRID]
    before = measured(room)[:, GRID] - measured(room)[:, OFF_GRID]

    assert on_grid.mean() > before.mean() + 0.1


def test_numbers_are_the_means_that_they_are_called():
    """Sums of whole numbers give what the plain formulas do, up to the largest steps there are."""
    patches = np.random.default_rng(0).choice([0, 9, 255], (8, 64, 64, 1)).astype(np.uint8)
    patches = patches.repeat(3, axis=3)
    levels = patches[..., 0].astype(float)  # a grey's luma
    steps, bends = np.diff(levels), np.diff(levels, 2)

    numbers = texture_of(patches)

    means = [(np.abs(steps) ** n).mean(axis=(1, 2)) ** (1 / n) for n in (1, 2, 4)]
    means.append(np.abs(bends).mean(axis=(1, 2)))
    expected = np.log2(np.stack(means, axis=1) + 0.05) / 4
    assert numbers[:, [LAG_1, LAG_1 + 1, LAG_1 + 2, BENDS]] == pytest.approx(expected, abs=1e-6)
