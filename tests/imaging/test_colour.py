import numpy as np
import pytest
from PIL import ImageCms

from darkroom.imaging.colour import to_srgb
from darkroom.imaging.metrics import ciede2000
from tests.imaging.forge import ADOBE_GAMMA, ADOBE_MATRIX, forge_profile
from tests.rooms import draw_room

ROOM = draw_room(2, 100, 140)  # taller than a strip

# sRGB to XYZ under D50 (Bradford-adapted), from Lindbloom's tables.
SRGB_MATRIX = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)


def to_linear(srgb):
    values = srgb / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def in_adobe_rgb(srgb):
    """The same colours, in the numbers of Adobe RGB."""
    light = to_linear(srgb) @ SRGB_MATRIX.T @ np.linalg.inv(ADOBE_MATRIX).T
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / ADOBE_GAMMA)).astype(np.uint8)


def test_wide_colours_arrive_in_srgb():
    """A photo in Adobe RGB comes out in the same colours, which it does not if taken for sRGB."""
    stored = in_adobe_rgb(ROOM)

    assert ciede2000(to_srgb(stored, forge_profile()), ROOM) < 0.5
    assert ciede2000(stored, ROOM) > 1


def test_srgb_profile_changes_nothing():
    """The commonest profile costs no conversion: the very same pixels come back."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert to_srgb(ROOM, profile) is ROOM


def test_grey_profile_is_applied():
    """Grey stored with gamma 1.8 is darkened to sRGB's curve, and stays grey."""
    grey = ROOM[:, :, :1]

    converted = to_srgb(grey, forge_profile(b"GRAY", 1.8))

    light = (grey / 255.0) ** 1.8
    expected = 255 * (1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    assert np.abs(converted - expected).max() < 2
    assert np.ptp(converted, axis=2).max() == 0


@pytest.mark.parametrize(
    "profile", [b"", b"no profile", forge_profile()[:200], forge_profile(b"GRAY"), bytes(4000)]
)
def test_broken_or_foreign_profile_is_ignored(profile):
    """A photo is not refused for its profile: it is taken for sRGB."""
    assert np.array_equal(to_srgb(ROOM, profile), ROOM)


def test_ink_without_profile_is_inverted():
    """CMYK without a profile: no ink is white, all black ink is black."""
    inks = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 255, 255, 0]]], np.uint8)

    assert to_srgb(inks, b"").tolist() == [[[255, 255, 255], [0, 0, 0], [255, 0, 0]]]
