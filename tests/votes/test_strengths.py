"""`darkroom/votes/strengths.py`: what simulated voters prefer is found again."""

import numpy as np
import pytest

from darkroom.votes.strengths import fit_strengths
from tests.votes.voters import a_vote

KNOWN = {"best": 0.9, "middle": 0.1, "worst": -1.0}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_strengths_lie_in_their_intervals(seed):
    """And the intervals are narrow enough to tell the three apart."""
    vote = a_vote(KNOWN, seed=seed)

    fit = fit_strengths(vote.ballots, vote.variants)

    ends = [fit.interval(fit.resampled[:, place]) for place in range(3)]
    for (low, high), strength in zip(ends, KNOWN.values(), strict=True):
        assert low < strength < high
    (best, middle, worst) = ends
    assert best[0] > middle[1] > middle[0] > worst[1]


def test_few_ballots_make_a_wide_interval():
    """A tenth of the photos and voters: the interval is at least twice as long."""
    lengths = []
    for voters, photos in ((8, 40), (2, 12)):
        vote = a_vote(KNOWN, voters=voters, photos=photos)
        fit = fit_strengths(vote.ballots, vote.variants)
        lengths.append(np.subtract(*reversed(fit.interval(fit.resampled[:, 0]))))

    assert lengths[1] > 2 * lengths[0]


def test_variants_without_a_difference_are_equally_strong():
    """Nothing but "no difference": strength 0 for all, with no doubt about it."""
    vote = a_vote(KNOWN, shrugs=1.0, voters=2, photos=5)

    fit = fit_strengths(vote.ballots, vote.variants)

    assert np.allclose(fit.strengths, 0, atol=1e-6)


def test_no_difference_draws_strengths_together():
    """The same preferences among many shrugs are worth less than alone."""
    sure, unsure = (a_vote(KNOWN, shrugs=shrugs) for shrugs in (0.0, 0.6))

    spread = [
        np.ptp(fit_strengths(vote.ballots, vote.variants).strengths) for vote in (sure, unsure)
    ]

    assert spread[1] < 0.6 * spread[0]


def test_variant_that_always_wins_has_a_finite_strength():
    """However few ballots there are."""
    vote = a_vote({"good": 50.0, "bad": 0.0}, voters=1, photos=3)

    fit = fit_strengths(vote.ballots, vote.variants)

    assert 0.5 < fit.strengths[0] < 3
