import cv2
import numpy as np
import pytest

from darkroom.imaging.resizing import shrink
from tests.rooms import draw_room


@pytest.mark.parametrize(
    ("width", "height", "to_width", "to_height"),
    [
        pytest.param(320, 240, 192, 192, id="a little"),
        pytest.param(211, 383, 192, 192, id="by no whole numbers"),
        pytest.param(300, 200, 199, 7, id="one side far more"),
        pytest.param(97, 50, 97, 49, id="one side alone"),
        pytest.param(40, 30, 40, 30, id="not at all"),
        pytest.param(20, 90, 33, 40, id="one side enlarged"),
    ],
)
def test_areas_are_averaged_as_opencv_does(width, height, to_width, to_height):
    """To the level, but for pixels half-way between two: of halves, OpenCV rounds twice."""
    room = draw_room(1, width, height)

    shrunk = shrink(room, to_height, to_width)

    reference = cv2.resize(room, (to_width, to_height), interpolation=cv2.INTER_AREA)
    assert shrunk.shape == reference.shape
    difference = np.abs(shrunk.astype(int) - reference)
    assert difference.max() <= 1
    assert difference.mean() < 0.01


@pytest.mark.parametrize("step", [(2, 1), (1, -1)], ids=["rows skipped", "turned around"])
def test_pixels_may_lie_anyhow(step):
    """What is handed in need not lie in one piece."""
    down, across = step
    room = draw_room(2, 60, 80)[::down, ::across]

    assert np.array_equal(shrink(room, 35, 50), shrink(room.copy(), 35, 50))


def test_read_only_pixels_are_read():
    """A photo in memory that others read as well may not be written to."""
    room = draw_room(3, 60, 40)
    room.flags.writeable = False

    assert shrink(room, 30, 50).mean() == pytest.approx(room.mean(), abs=2)
