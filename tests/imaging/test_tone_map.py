import base64

import cv2
import numpy as np
import pytest

from darkroom.contracts.errors import MalformedRequest
from darkroom.imaging.tone_map import ToneMap, apply_tone_map


def packed(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f2").tobytes()).decode()


def a_picture(height: int = 96, width: int = 128) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def a_map(rows: int = 3, columns: int = 4) -> ToneMap:
    rng = np.random.default_rng(1)
    identity = ToneMap.identity((rows, columns))
    grid = identity.grid + rng.normal(0, 0.2, identity.grid.shape)
    return ToneMap(identity.curves**0.7, grid.astype(np.float32))


def reference(pixels: np.ndarray, tone_map: ToneMap) -> np.ndarray:
    """The formula of the module's docstring, word by word and slowly."""
    height, width = pixels.shape[:2]
    curved = np.stack([tone_map.curves[c][pixels[..., c]] for c in range(3)], axis=-1)
    flat = tone_map.grid.reshape(*tone_map.grid.shape[:2], 12)
    planes = [cv2.resize(flat[..., k], (width, height)) for k in range(12)]
    transforms = np.stack(planes, axis=-1).reshape(height, width, 3, 4)
    mended = np.einsum("hwck,hwk->hwc", transforms[..., :3], curved) + transforms[..., 3]
    return np.clip(mended * 255, 0, 255)


@pytest.mark.parametrize("size", [(96, 128), (1, 1), (1, 90), (70, 1), (7, 5)])
def test_application_follows_the_formula(size):
    """At any size the compiled loops agree with the plain formula to rounding."""
    pixels = a_picture(*size)

    mended = apply_tone_map(pixels, a_map())

    assert mended.shape == pixels.shape
    assert np.abs(mended - reference(pixels, a_map())).max() <= 0.6


def test_identity_changes_nothing():
    """The identity returns every level as it was."""
    pixels = a_picture()

    assert np.array_equal(apply_tone_map(pixels, ToneMap.identity()), pixels)


def test_strength_zero_is_the_identity_and_half_lies_between():
    """Weakening a map to zero leaves the photo; half way moves each pixel half as far or so."""
    pixels, tone_map = a_picture(), a_map()

    untouched = apply_tone_map(pixels, tone_map.toward_identity(0))
    halfway = apply_tone_map(pixels, tone_map.toward_identity(0.5)).astype(float)
    full = apply_tone_map(pixels, tone_map).astype(float)

    assert np.array_equal(untouched, pixels)
    assert np.abs(halfway - pixels).mean() < np.abs(full - pixels).mean()


def test_values_beyond_black_and_white_are_clipped():
    """A map that overshoots gives white and black, never a level that wrapped around."""
    curves = np.full((3, 256), 2, np.float32)
    grid = ToneMap.identity().grid

    assert apply_tone_map(a_picture(), ToneMap(curves, grid)).min() == 255
    assert apply_tone_map(a_picture(), ToneMap(-curves, grid)).max() == 0


def test_read_only_pixels_are_taken():
    """Pixels that a decoder handed out read-only need no copy by the caller."""
    pixels = a_picture()
    pixels.setflags(write=False)

    assert np.array_equal(apply_tone_map(pixels, ToneMap.identity()), pixels)


def test_a_packed_map_mends_like_the_map_itself():
    """Half precision costs no more than the rounding of a level, even where a map is steep."""
    steep = ToneMap(3 * a_map(8, 8).curves, a_map(8, 8).grid)
    pixels = a_picture()

    unpacked = ToneMap.unpack(steep.pack())

    mended, by_packed = (apply_tone_map(pixels, m).astype(int) for m in (steep, unpacked))
    assert np.abs(mended - by_packed).max() <= 1


@pytest.mark.parametrize(
    "rubbish",
    [
        *("", "AAAA", "AAA", "no base64"),
        packed(np.zeros(768)),
        packed(np.zeros(768 + 12 * 64 + 1)),
        packed(np.full(768 + 12 * 64, np.nan)),
        packed(np.full(768 + 12 * 64, np.inf)),
    ],
)
def test_what_is_no_packed_map_is_refused(rubbish):
    """Too short, too long, not a number: a malformed request, not a broken photo."""
    with pytest.raises(MalformedRequest):
        ToneMap.unpack(rubbish)
