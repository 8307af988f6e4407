"""Simulated voters, whose taste is known."""

from itertools import combinations

import numpy as np

from darkroom.contracts.votes import Ballots, CastBallot, Choice


def a_vote(
    strengths: dict[str, float],
    *,
    voters: int = 8,
    photos: int = 40,
    lean: float = 0.0,
    shrugs: float = 0.0,
    seed: int = 1,
) -> Ballots:
    """Everybody judges every pair, by Bradley and Terry's rule.

    `strengths` are natural logarithms; `lean` is added to what stands on the left, `shrugs` is the
    share of answers that are "no difference" whatever is shown.
    """
    rng = np.random.default_rng(seed)
    cast = []
    for photo in range(photos):
        for pair in combinations(strengths, 2):
            for voter in range(1, voters + 1):
                left, right = (pair[int(place)] for place in rng.permutation(2))
                ahead = strengths[left] + lean - strengths[right]
                choice = Choice.LEFT if rng.random() < 1 / (1 + np.exp(-ahead)) else Choice.RIGHT
                if rng.random() < shrugs:
                    choice = Choice.NO_DIFFERENCE
                name = f"{photo}.jpg"
                cast.append(
                    CastBallot(photo=name, left=left, right=right, choice=choice, voter=voter)
                )
    pairs = photos * len(strengths) * (len(strengths) - 1) // 2
    return Ballots(
        name="a vote", variants=tuple(strengths), photos=photos, pairs=pairs, ballots=tuple(cast)
    )
