import cv2
import numpy as np
import pytest

from darkroom.imaging.chroma import Colours, chroma_of, colour, colours_of, luma_of, square_of
from darkroom.imaging.metrics import psnr
from tests.photos import PHOTOS, load_photo


def a_chroma_of(picture, side, blur):
    """What a perfect network would say, as coarse as networks are."""
    square = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(chroma_of(square), (0, 0), blur)


def plainly(picture, chroma):
    """The usual way: chroma brought to full size without a look at the photo."""
    height, width = picture.shape[:2]
    luma = luma_of(picture).astype(np.float32) / 255
    yuv = np.dstack([luma, cv2.resize(chroma, (width, height)) + 0.5])
    return np.clip(cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB) * 255 + 0.5, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", PHOTOS)
def test_luma_stays_exactly(name):
    """Whatever the chroma, impossible ones too: light is the photo's own to one level."""
    picture = load_photo(name)
    chroma = np.random.default_rng(0).uniform(-0.5, 0.5, (24, 24, 2)).astype(np.float32)

    coloured = colour(picture, luma_of(picture), chroma)

    assert np.abs(luma_of(coloured).astype(int) - luma_of(picture)).max() <= 1


def test_colours_end_where_the_edges_are():
    """Red beside blue, blurred over many pixels: at full size the border is sharp again."""
    picture = np.empty((300, 400, 3), np.uint8)
    picture[:, :187], picture[:, 187:] = (200, 60, 40), (20, 30, 90)
    chroma = a_chroma_of(picture, 64, blur=1.0)

    coloured = colour(picture, luma_of(picture), chroma)

    near = np.s_[:, 187 - 4 : 187 + 4]
    along_edges = psnr(picture[near], coloured[near])
    assert along_edges > psnr(picture[near], plainly(picture, chroma)[near]) + 3


def test_on_a_photo_it_is_nearer_than_the_plain_way():
    """On small things of strong colours, from a coarse square."""
    picture = load_photo("coffee")
    chroma = a_chroma_of(picture, 128, blur=1.5)

    ours = psnr(picture, colour(picture, luma_of(picture), chroma))

    assert ours > psnr(picture, plainly(picture, chroma)) + 0.5


def test_black_and_white_have_no_room_for_colour():
    """Where luma allows none, none is given."""
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 15:] = 255
    strong = np.full((112, 112, 2), 0.4, np.float32)

    assert np.array_equal(colour(picture, luma_of(picture), strong), picture)


def test_half_strength_is_half_way():
    """The photo's own chroma and the new one, in equal parts."""
    picture = load_photo("chelsea")[:120, :160]
    luma, none = luma_of(picture), np.zeros((112, 112, 2), np.float32)

    half = colour(picture, luma, none, strength=0.5)

    assert np.abs(chroma_of(half) - chroma_of(picture) / 2).max() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 500), (7, 5)])
def test_any_size_is_coloured(size):
    """From one pixel on; a uniform chroma arrives as it is."""
    picture = np.full((*size, 3), 120, np.uint8)
    chroma = np.full((112, 112, 2), (0.05, -0.05), np.float32)
    luma = luma_of(picture)

    assert square_of(luma, 112).shape == (112, 112)
    assert np.abs(chroma_of(colour(picture, luma, chroma)) - (0.05, -0.05)).max() < 0.01


def test_places_keep_their_places():
    """Top, bottom, left and right of an oblong photo get the colours meant for them."""
    picture = np.full((60, 90, 3), 128, np.uint8)
    chroma = np.zeros((112, 112, 2), np.float32)
    chroma[:56, :, 1], chroma[:, 56:, 0] = 0.2, 0.2

    coloured = colour(picture, luma_of(picture), chroma).astype(int)

    assert (coloured[:25, :, 0] > 140).all()
    assert (coloured[35:, :, 0] < 140).all()
    assert (coloured[:, 50:, 2] > 140).all()
    assert (coloured[:, :40, 2] < 140).all()


@pytest.mark.parametrize("name", PHOTOS)
def test_grey_toned_and_coloured_are_told_apart(name):
    """A photo, its grey version, and sepia prints of it: clean, and grainy as a scan."""
    picture = cv2.resize(load_photo(name), (192, 192), interpolation=cv2.INTER_AREA)
    luma = luma_of(picture)
    sepia = np.clip(luma[..., None] * (1.07, 0.98, 0.8) + (12, 6, 0), 0, 255)
    grain = np.random.default_rng(0).normal(0, 4, sepia.shape)
    pictures = (picture, np.dstack([luma] * 3), sepia, np.clip(sepia + grain, 0, 255))

    found = [colours_of(np.asarray(p, np.uint8)) for p in pictures]

    assert found == [Colours.OWN, Colours.NONE, Colours.TONED, Colours.TONED]
