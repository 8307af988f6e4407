import cv2
import numpy as np
import pytest

from darkroom.imaging.photo import Format, Photo
from darkroom.imaging.texture import TEXTURE
from darkroom.imaging.views import (
    STATISTICS,
    chroma_of,
    colours_of,
    evidence_of,
    lines_of,
    statistics_of,
    take_views,
    thumbnail_of,
)
from tests.rooms import draw_room


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (63, 65), (480, 640), (1500, 2100)])
def test_any_size_gives_the_same_shapes(size):
    """Shapes do not depend on the photo's size, down to one pixel."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    views = take_views(Photo(pixels, Format.PNG))

    assert views.thumbnail.shape == (192, 192, 3)
    assert views.texture.shape == (8, TEXTURE)
    assert views.statistics.shape == (STATISTICS,)
    assert np.isfinite(views.statistics).all()
    assert np.isfinite(views.texture).all()


def test_large_and_small_photo_have_the_same_thumbnail():
    """The cheap way down from 6 Mpx shows the same room as the exact way from a small one."""
    room = draw_room(3, 600, 400)
    large = room.repeat(5, axis=0).repeat(5, axis=1)

    difference = np.abs(thumbnail_of(large).astype(int) - thumbnail_of(room))

    assert difference.mean() < 3


def test_statistics_tell_range_and_cast():
    """Percentiles lie in order, and a red photo has a red cast."""
    thumbnail = np.zeros((192, 192, 3), np.uint8)
    thumbnail[..., 0] = np.arange(192)
    thumbnail[..., 1] = thumbnail[..., 2] = np.arange(192) // 2

    statistics = statistics_of(thumbnail)

    assert (np.diff(statistics[:11]) >= 0).all()
    assert statistics[-2] > 0.5
    assert statistics[-1] == pytest.approx(0, abs=0.01)


def test_colours_tell_brightness_and_cast():
    """A dark and a bright half lie in two bands, each with the cast of its own colour."""
    thumbnail = np.zeros((192, 192, 3), np.uint8)
    thumbnail[:96], thumbnail[96:] = (20, 10, 10), (200, 200, 100)

    shares, warm, cool = colours_of(thumbnail)[:21].reshape(3, 7)

    assert shares == pytest.approx([0.5, 0, 0, 0, 0.5, 0, 0])
    assert warm == pytest.approx([np.log(24 / 14), 0, 0, 0, 0, 0, 0])
    assert cool == pytest.approx([0, 0, 0, 0, np.log(104 / 204), 0, 0])


def test_chroma_tells_the_cast_of_dark_and_of_bright_pixels():
    """Bright grey lies amid its plane, a dark brown off the middle; what is blown tells nothing."""
    thumbnail = np.full((192, 192, 3), 255, np.uint8)
    thumbnail[:96], thumbnail[96:144] = 200, (60, 40, 20)

    shares = chroma_of(thumbnail) ** 2

    assert shares[2, 20, 20] == pytest.approx(0.5)
    assert shares[0, 27, 7] == pytest.approx(0.25)  # log(64 / 44) and log(24 / 44), 20 cells to 1
    assert shares[:3].sum() == pytest.approx(0.75)


def test_chroma_tells_the_colour_of_edges():
    """Where a red wall has grey stripes of changing brightness, the wall itself makes no step."""
    thumbnail = np.full((192, 192, 3), (180, 60, 60), np.uint8)
    thumbnail[:, 64:128] = np.linspace(20, 240, 64)[:, None].astype(np.uint8)

    edges = chroma_of(thumbnail)[3] ** 2

    assert edges.sum() == pytest.approx(1)
    assert edges.argmax() == 20 * 40 + 20


@pytest.mark.parametrize("degrees", [-19, -7, 4, 13])
@pytest.mark.parametrize("quarters", [0, 1])
def test_an_edge_counts_at_its_own_angle(degrees, quarters):
    """Either sense of an edge is one direction: dark to bright and back fall into one bin."""
    x, y = np.meshgrid(np.arange(192.0), np.arange(192.0))
    angle = np.deg2rad(degrees + 90 * quarters)
    wave = 128 + 100 * np.sin(0.3 * (x * np.cos(angle) + y * np.sin(angle)))
    grating = wave.astype(np.uint8)[..., None].repeat(3, axis=2)

    lines = lines_of(grating, 1).reshape(2, 40)

    assert np.argmax(lines[quarters]) in (20 + degrees - 1, 20 + degrees)
    assert lines[quarters].sum() > 0.95 * lines.sum()


def test_coarse_tables_are_evidence():
    """A photo without tables has none; coarser tables give larger steps."""
    fine, coarse = np.full(64, 3, np.uint16), np.full(64, 90, np.uint16)

    assert (evidence_of(()) == 0).all()
    assert evidence_of((coarse, coarse))[1] > evidence_of((fine, fine))[1] > 0
    assert evidence_of((fine,)).shape == evidence_of((fine, coarse)).shape


@pytest.mark.parametrize(("degrees", "half"), [(6, slice(0, 20)), (-6, slice(20, 40))])
def test_a_turned_room_shows_shifted_lines(degrees, half):
    """Turned counter-clockwise, upright edges fall into the first half of their histogram."""
    room = draw_room(3, 400, 300)
    turn = cv2.getRotationMatrix2D((200, 150), degrees, 1.3)
    turned = np.asarray(cv2.warpAffine(room, turn, (400, 300)), np.uint8)

    lines = lines_of(thumbnail_of(turned), 4 / 3)

    assert lines.mean() == pytest.approx(1)
    assert lines[half].sum() > 0.6 * lines[:40].sum()
