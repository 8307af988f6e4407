import numpy as np
import pytest

from darkroom.inference.colorize import Colorizer, NoColours


def test_what_is_no_number_is_no_colour():
    """A network whose sums run over gives an error, not a black photo."""
    answers = np.zeros((1, 3, 32, 32), np.float32)
    colorizer = Colorizer(lambda _: (answers,), lambda output: output)
    squares = [np.zeros((32, 32), np.uint8)]
    assert len(colorizer.colorize(squares)) == 1

    answers[0, 1, 4, 4] = np.nan

    with pytest.raises(NoColours):
        colorizer.colorize(squares)
