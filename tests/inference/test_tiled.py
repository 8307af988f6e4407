import numpy as np
import pytest

from darkroom.inference.tiled import Work, correct_photos


class Limited:
    """A network that adds to each tile what it is told of it, as long as memory lasts."""

    def __init__(self, most_pixels, error=None):
        self.most_pixels = most_pixels
        self.error = error or MemoryError()
        self.batches = []

    def correct(self, tiles, told):
        self.batches.append(tiles.shape[:2])
        if tiles[..., 0].size > self.most_pixels:
            raise self.error
        return np.broadcast_to(told[:, None, None, :], tiles.shape).astype(np.float32)


def photos():
    levels = ((40, 90, 10), (200, 70, 20))
    return [
        Work(np.zeros((h, w, 3), np.uint8), np.full(3, level, np.float32)) for h, w, level in levels
    ]


def check(corrected):
    for canvas, photo in zip(corrected.canvases, photos(), strict=True):
        assert canvas.steps.shape == photo.pixels.shape
        assert np.allclose(canvas.steps / 64, photo.told[0], atol=0.05)


def test_tiles_of_several_photos_share_a_batch():
    """Two photos, four tiles: one call, and each photo gets its own corrections."""
    network = Limited(10**9)

    corrected = correct_photos(network, photos(), 176, 8)

    check(corrected)
    assert network.batches == [(3, 176)]
    assert (corrected.tiles, corrected.batch, corrected.tile_px) == (3, 8, 176)


def test_short_of_memory_the_batch_is_halved():
    """Until it fits; nothing is lost on the way."""
    network = Limited(176 * 176)

    corrected = correct_photos(network, photos(), 176, 4)

    check(corrected)
    assert [count for count, _ in network.batches] == [3, 2, 1, 1, 1]
    assert (corrected.batch, corrected.tile_px) == (1, 176)


def test_short_of_memory_for_a_single_tile_the_tile_is_halved():
    """What an accelerator's and OpenVINO's allocators raise counts as well."""
    corrected = correct_photos(Limited(100 * 100, RuntimeError("std::bad_alloc")), photos(), 176, 2)

    check(corrected)
    assert (corrected.batch, corrected.tile_px) == (1, 88)


def test_when_nothing_fits_it_says_so():
    """It does not try for ever."""
    with pytest.raises(MemoryError):
        correct_photos(Limited(10), photos(), 176, 2)


def test_other_errors_are_not_retried():
    """A bug is no lack of memory."""
    network = Limited(0, RuntimeError("shapes differ"))

    with pytest.raises(RuntimeError, match="shapes"):
        correct_photos(network, photos(), 176, 4)

    assert len(network.batches) == 1
