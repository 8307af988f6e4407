"""From straight edges to the camera's tilt: votes for each angle, and the exact fit near one.

A camera that is rolled by θ and pitched by ψ sees all upright lines run through one vanishing
point, the projection of v = (sin θ cos ψ, cos θ cos ψ, sin ψ). An edge at (x, y) that leans by φ
does so exactly if sin(θ - φ) = tan ψ · (x cos φ - y sin φ), so each ψ turns an edge into a vote for
one θ; under the right ψ the votes of a facade that leans together agree. Level lines vote alike,
with the azimuth of their wall in place of ψ: the skirting of a wall seen at an angle runs to a
point of the horizon, and only the right θ makes all its edges meet there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.following import STEEPEST_DEGREES
from darkroom.imaging.lines import Edges, Lines

Float = NDArray[np.float32]

BIN_DEGREES = 0.5
ANGLES = np.arange(-STEEPEST_DEGREES, STEEPEST_DEGREES + BIN_DEGREES / 2, BIN_DEGREES)
PITCHES = (-24, -16, -10, -6, -3, 0, 3, 6, 10, 16, 24)  # degrees; negative looks up
AZIMUTHS = (-55, -40, -28, -18, -9, 0, 9, 18, 28, 40, 55)
VOTES = len(PITCHES) + len(AZIMUTHS) + 3  # channels
_FAMILIAR = 8.0  # levels a pixel: a contrast from which more makes a line no surer
_NEAR_DEGREES = 0.35  # how closely the edges of one building agree
_REACH_DEGREES = 2.0  # edges further off belong to something else
_UNLIKELY = 0.002  # votes that each degree of pitch has to make up for
_PITCH_PRIOR = 0.02  # votes for no pitch: few edges in one corner say nothing about a convergence
_USUAL_PITCH_DEGREES = 4.0  # of cameras held by hand
_FEWEST = 4  # edges, in effect, that a fit has to rest on
_FINEST_DEGREES = 0.2  # scatter of edges that are as straight as drawn


def count_votes(lines: Lines) -> Float:
    """Votes for each of `ANGLES`, (VOTES, len(ANGLES)) float32.

    Rows: upright edges under each of `PITCHES`, level ones under each of `AZIMUTHS`, in square
    roots of shares of their kind's weight; then, the same for each angle, the logarithm of the
    upright and of the level edges' weight; last the angle as a share of the steepest, unsigned.
    """
    upright, level = lines.upright, lines.level
    pitches, azimuths = (np.asarray(each, np.float32)[:, None] for each in (PITCHES, AZIMUTHS))
    rows = [
        _histograms(upright, _upright_vote(upright, pitches)),
        _histograms(level, _level_vote(level, azimuths)),
    ]
    amounts = [np.log1p(5 * _weight(edges).sum()) / 4 for edges in (upright, level)]
    rows += [np.full((1, len(ANGLES)), amount, np.float32) for amount in amounts]
    rows.append(np.abs(ANGLES)[None] / STEEPEST_DEGREES)
    return np.concatenate(rows).astype(np.float32)


def _weight(edges: Edges) -> Float:
    clear = np.minimum(edges.strength / _FAMILIAR, 1)
    return np.asarray(10 * edges.length**1.5 * clear, np.float32)


def _upright_vote(edges: Edges, pitch: Float | float) -> Float:
    """(N,) degrees for one pitch, (P, N) for a column (P, 1) of them."""
    lean = np.radians(edges.degrees)
    offset = edges.x * np.cos(lean) - edges.y * np.sin(lean)
    return _shifted(edges, np.tan(np.radians(pitch)) * offset)


def _level_vote(edges: Edges, azimuth: Float) -> Float:
    lean = np.radians(edges.degrees)
    offset = edges.y * np.cos(lean) + edges.x * np.sin(lean)
    return _shifted(edges, np.tan(np.radians(azimuth)) * offset)


def _shifted(edges: Edges, sine: Float) -> Float:
    return np.asarray(edges.degrees + np.degrees(np.arcsin(np.clip(sine, -1, 1))), np.float32)


def _histograms(edges: Edges, votes: Float) -> Float:
    """For votes (P, N) histograms (P, 81), each vote shared between the two angles beside it."""
    weight, size = _weight(edges), len(ANGLES)
    place = (votes + STEEPEST_DEGREES) / BIN_DEGREES
    inside = (place >= 0) & (place < size - 1)
    row, edge = np.nonzero(inside)
    lower = place[inside].astype(np.intp)
    upper_share = place[inside] - lower
    bins, weights = row * size + lower, weight[edge]
    histogram = np.bincount(bins, weights * (1 - upper_share), len(votes) * size)
    histogram += np.bincount(bins + 1, weights * upper_share, len(votes) * size)
    return np.sqrt(histogram / max(float(weight.sum()), 0.05)).reshape(len(votes), size)


@dataclass(frozen=True)
class UprightFit:
    """Roll and pitch that upright edges agree on, and the standard error of each, in degrees."""

    roll: float
    pitch: float
    roll_error: float
    pitch_error: float


UNKNOWN = float("inf")


def fit_upright(edges: Edges, near_degrees: float) -> UprightFit:
    """Fit roll and pitch to the upright edges that agree with a roll near the one given.

    Iteratively reweighted least squares: whatever else leans by about as much counts little. Where
    fewer than `_FEWEST` edges carry the fit its errors are infinite.
    """
    nothing = UprightFit(near_degrees, 0.0, UNKNOWN, UNKNOWN)
    weight = _weight(edges)
    if len(weight) < _FEWEST:
        return nothing
    lean = np.radians(edges.degrees)
    offset = edges.x * np.cos(lean) - edges.y * np.sin(lean)
    roll, pitch = near_degrees, _likeliest_pitch(edges, weight, near_degrees)
    for scale in (2.0, 1.5, 1.0, 1.0, 1.0):
        residual = _upright_vote(edges, pitch) - roll
        counted = weight * _agreement(residual, scale)
        gain = offset / np.cos(np.radians(pitch)) ** 2  # of a vote with the pitch, degrees each
        total = float(counted.sum()) + 1e-9
        middle = float((counted * gain).sum()) / total
        spread = float((counted * (gain - middle) ** 2).sum()) + _PITCH_PRIOR
        step = float((counted * (gain - middle) * residual).sum()) + _PITCH_PRIOR * pitch
        # residual ≈ Δroll - gain · Δpitch
        pitch -= step / spread
        roll += float((counted * residual).sum()) / total - middle * step / spread
        roll = float(np.clip(roll, near_degrees - _REACH_DEGREES, near_degrees + _REACH_DEGREES))
        pitch = float(np.clip(pitch, PITCHES[0], PITCHES[-1]))
    squares = counted * counted
    if total**2 < _FEWEST * float(squares.sum()):
        return nothing
    scatter = max(float((counted * residual**2).sum()) / total, _FINEST_DEGREES**2)
    # Without the prior: it makes a fit steady, not right.
    base = spread - _PITCH_PRIOR + 1e-9
    pitch_error = np.sqrt(scatter * float((squares * (gain - middle) ** 2).sum())) / base
    # What the pitch is not known by, edges at one side of the frame do not tell of the roll either.
    unknown = abs(middle) * min(pitch_error, _USUAL_PITCH_DEGREES)
    roll_error = np.hypot(np.sqrt(scatter * float(squares.sum())) / total, unknown)
    return UprightFit(roll, pitch, float(roll_error), float(pitch_error))


def _likeliest_pitch(edges: Edges, weight: Float, near_degrees: float) -> float:
    """The one of `PITCHES` under which the votes gather closest around the angle."""
    gathered = [
        float((weight * _agreement(_upright_vote(edges, pitch) - near_degrees, 2)).sum())
        - _UNLIKELY * abs(pitch)
        for pitch in PITCHES
    ]
    return float(PITCHES[int(np.argmax(gathered))])


def _agreement(residual: Float, scale: float) -> Float:
    """1 for an edge right on the line, 0 far off it (Geman and McClure)."""
    return np.asarray(1 / (1 + (residual / (scale * _NEAR_DEGREES)) ** 2) ** 2, np.float32)
