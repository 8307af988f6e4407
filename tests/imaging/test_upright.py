import numpy as np
import pytest

from darkroom.imaging.lines import Edges, Lines
from darkroom.imaging.upright import ANGLES, AZIMUTHS, PITCHES, VOTES, count_votes, fit_upright


def an_edge_list(x, y, degrees):
    count = len(x)
    return Edges(
        *(np.asarray(each, np.float32) for each in (x, y, degrees)),
        np.linspace(0.05, 0.3, count, dtype=np.float32),
        np.full(count, 9, np.float32),
    )


def upright_edges(roll, pitch, astray=0, count=40):
    """Upright lines as a camera of that roll and pitch sees them; some lean anyhow."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.6, 0.6, count), rng.uniform(-0.4, 0.4, count)
    roll, pitch = np.radians([roll, pitch])
    down = (np.sin(roll) * np.cos(pitch), np.cos(roll) * np.cos(pitch), np.sin(pitch))
    degrees = np.degrees(np.arctan((down[0] - x * down[2]) / (down[1] - y * down[2])))
    degrees[:astray] = rng.uniform(-15, 15, astray)
    return an_edge_list(x, y, degrees)


def wall_edges(roll, azimuth, count=40):
    """Level lines of a wall seen at an angle, by a camera of that roll that is not pitched."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.6, 0.6, count), rng.uniform(-0.4, 0.4, count)
    roll, azimuth = np.radians([roll, azimuth])
    along = (np.cos(roll) * np.cos(azimuth), -np.sin(roll) * np.cos(azimuth), np.sin(azimuth))
    degrees = -np.degrees(np.arctan((along[1] - y * along[2]) / (along[0] - x * along[2])))
    near = np.abs(degrees) < 20
    return an_edge_list(x[near], y[near], degrees[near])


NONE = an_edge_list([], [], [])


@pytest.mark.parametrize(("roll", "pitch"), [(0, 0), (5, 0), (-3, 8), (9, -12), (2, 4)])
def test_roll_and_pitch_are_told_apart(roll, pitch):
    """A third of the edges leans anyhow: both angles still come out right, and known as exact."""
    fit = fit_upright(upright_edges(roll, pitch, astray=13), roll + 0.5)

    assert abs(fit.roll - roll) < 0.1
    assert abs(fit.pitch - pitch) < 0.4
    assert fit.roll_error < 0.1
    assert fit.pitch_error < 0.4


def test_three_edges_prove_nothing():
    """However well they agree, the fit says that it does not know."""
    fit = fit_upright(upright_edges(4, 0, count=3), 4.0)

    assert fit.roll_error == fit.pitch_error == float("inf")


def test_edges_in_one_corner_tell_no_pitch():
    """Without a base to see convergence from, the fit owns up to not knowing it."""
    edges = upright_edges(2, 0, count=30)
    cornered = an_edge_list(edges.x * 0.02 + 0.5, edges.y, edges.degrees + 0.1 * edges.y)

    assert fit_upright(cornered, 2.0).pitch_error > 1


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        (Lines(upright_edges(6, 10), NONE), PITCHES.index(10)),
        (Lines(NONE, wall_edges(6, 28)), len(PITCHES) + AZIMUTHS.index(-28)),
        (Lines(NONE, wall_edges(6, -18)), len(PITCHES) + AZIMUTHS.index(18)),
    ],
    ids=["converging", "wall to the right", "wall to the left"],
)
def test_votes_gather_under_the_right_pitch_or_azimuth(lines, row):
    """Lines that lean every which way agree on the roll in one row, and nowhere else as much."""
    votes = count_votes(lines)[: VOTES - 3]

    best, angle = np.unravel_index(votes.argmax(), votes.shape)
    assert best == row
    assert ANGLES[angle] == 6.0


def test_no_lines_no_votes():
    """Shape and range hold for a photo without a single edge."""
    votes = count_votes(Lines(NONE, NONE))

    assert votes.shape == (VOTES, len(ANGLES))
    assert not votes[:-1].any()
