"""How strong each variant is, from who was preferred to whom.

Bradley and Terry (1952): of variants with strengths s and t the first is preferred with probability
1 / (1 + exp(t - s)). "No difference" counts as half a win for either: it draws two strengths
together, where leaving it out would take one preference among a hundred shrugs for certainty. Each
two variants begin with half a win each way (Haldane's and Anscombe's correction), so that one that
always won has a finite strength.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import choix
import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.votes import CastBallot, Choice

Floats = NDArray[np.float64]

ROUNDS = 500  # of the bootstrap: the interval's ends move by a twentieth of its length
INTERVAL = (2.5, 97.5)  # percentiles
_SCORE = {Choice.LEFT: 1.0, Choice.NO_DIFFERENCE: 0.5, Choice.RIGHT: 0.0}


@dataclass(frozen=True)
class Fit:
    """Strengths of K variants in natural logarithms, with mean 0."""

    strengths: Floats  # (K,)
    resampled: Floats  # (ROUNDS, K)

    def interval(self, values: Floats) -> tuple[float, float]:
        """Where 95 % of resampled values lie."""
        low, high = np.percentile(values, INTERVAL)
        return float(low), float(high)


def fit_strengths(ballots: Sequence[CastBallot], variants: Sequence[str], seed: int = 1) -> Fit:
    """Estimate the strengths, and how they vary with other voters and other photos.

    Ballots of one voter are alike, and so are ballots on one photo, so voters and photos are drawn
    anew with replacement, each by themselves, and a ballot counts as often as both were drawn: the
    pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007), which errs on the wide side.
    With a single voter the interval tells about other photos alone.
    """
    place = {variant: number for number, variant in enumerate(variants)}
    left = np.array([place[ballot.left] for ballot in ballots], dtype=np.intp)
    right = np.array([place[ballot.right] for ballot in ballots], dtype=np.intp)
    score = np.array([_SCORE[ballot.choice] for ballot in ballots])
    voters = np.unique([ballot.voter for ballot in ballots], return_inverse=True)[1]
    photos = np.unique([ballot.photo for ballot in ballots], return_inverse=True)[1]

    def wins(weights: Floats) -> Floats:
        """(K, K): how often the row was preferred to the column."""
        matrix = np.zeros((len(variants), len(variants)))
        np.add.at(matrix, (left, right), weights * score)
        np.add.at(matrix, (right, left), weights * (1 - score))
        return matrix

    found = _maximum_likelihood(wins(np.ones(len(ballots))))
    rng = np.random.default_rng(seed)
    resampled = [
        _maximum_likelihood(wins(_drawn(rng, voters)[voters] * _drawn(rng, photos)[photos]), found)
        for _ in range(ROUNDS)
    ]
    return Fit(found, np.array(resampled))


def _drawn(rng: np.random.Generator, groups: NDArray[np.intp]) -> Floats:
    """How often each group comes when as many as there are are drawn with replacement."""
    count = int(groups.max(initial=-1)) + 1
    if count < 2:  # nothing to draw from
        return np.ones(count)
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(float)


def _maximum_likelihood(wins: Floats, start: Floats | None = None) -> Floats:
    begun = 0.5 * (1 - np.eye(len(wins)))
    return choix.ilsr_pairwise_dense(wins + begun, initial_params=start, max_iter=1000)
