import numpy as np
import pytest

from darkroom.imaging.metrics import psnr
from darkroom.imaging.warp import apply_warp, plan_warp
from tests.rooms import draw_room

TILTS = [(10.0, 0.0), (-10.0, 0.0), (3.0, 8.0), (-6.0, -12.0), (0.0, 10.0)]


def positions(warp, x, y):
    """Where in the photo the pixels (x, y) of the result come from."""
    moved = warp.matrix @ np.stack([x, y, np.ones_like(x)])
    return moved[:2] / moved[2]


@pytest.mark.parametrize(("degrees", "pitch"), TILTS)
@pytest.mark.parametrize(("width", "height"), [(400, 300), (300, 500), (901, 200), (64, 64)])
def test_no_pixel_is_invented(width, height, degrees, pitch):
    """Every pixel of the result comes from inside the photo, and one side of it touches."""
    warp = plan_warp(width, height, degrees, pitch)

    x, y = np.meshgrid(np.arange(warp.width, dtype=float), np.arange(warp.height, dtype=float))
    px, py = positions(warp, x.ravel(), y.ravel())

    assert min(px.min(), py.min()) >= -1e-6
    assert px.max() <= width - 1 + 1e-6
    assert py.max() <= height - 1 + 1e-6
    margin = min(px.min(), py.min(), width - 1 - px.max(), height - 1 - py.max())
    assert margin < 2
    if min(width, height) > 100:
        assert abs(warp.width / warp.height - width / height) < 0.02 * width / height


def test_a_white_photo_stays_white_to_its_corners():
    """The kernel brings nothing in from beyond the frame."""
    white = np.full((300, 400), 255, np.uint8)

    assert apply_warp(white, plan_warp(400, 300, 7.0, -9.0)).min() == 255


def test_the_crop_is_as_large_as_geometry_allows():
    """For a turn alone the size is the one known in closed form."""
    warp = plan_warp(401, 301, 10.0, 0.0)

    sine, cosine = np.sin(np.radians(10)), np.cos(np.radians(10))
    height = 300 * 300 / (400 * sine + 300 * cosine)
    assert abs(warp.height - 1 - height) <= 1
    assert abs(warp.cut_share - (1 - (height / 300) ** 2)) < 0.01


def test_turning_one_way_and_back_gives_the_photo():
    """A tilt of -5° undone, then one of +5°: what is left of the room is where it was."""
    room = draw_room(1, 400, 300)

    turned = apply_warp(room, plan_warp(400, 300, -5.0, 0.0))
    warp = plan_warp(turned.shape[1], turned.shape[0], 5.0, 0.0)
    back = apply_warp(turned, warp)

    top, left = (300 - back.shape[0]) // 2, (400 - back.shape[1]) // 2
    kept = room[top : top + back.shape[0], left : left + back.shape[1]]
    assert psnr(back, kept) > 30


def test_leaning_lines_are_parallel_again():
    """Upright lines through the vanishing point of a tilted camera come out upright."""
    roll, pitch, width, height = np.radians(4), np.radians(9), 400, 300
    down = np.array([np.sin(roll) * np.cos(pitch), np.cos(roll) * np.cos(pitch), np.sin(pitch)])
    focal = 0.8 * width
    vanishing = focal * down[:2] / down[2] + ((width - 1) / 2, (height - 1) / 2)
    warp = plan_warp(width, height, 4.0, 9.0)
    into = np.linalg.inv(warp.matrix)
    for start in ((80.0, 90.0), (200.0, 120.0), (330.0, 60.0)):
        near = np.asarray(start)
        far = near + 0.1 * (vanishing - near)
        ends = into @ np.stack([[*near, 1], [*far, 1]]).T
        (x0, x1), _ = ends[:2] / ends[2]
        assert abs(x0 - x1) < 1e-6


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20_000, 1), (2, 3), (20_000, 10)])
def test_a_thread_of_a_photo_is_left_whole(width, height):
    """Where no upright crop would have a pixel of height, nothing is cut."""
    warp = plan_warp(width, height, 5.0, 0.0)

    assert (warp.width, warp.height, warp.cut_share) == (width, height, 0.0)
