"""What a vote says: strengths, doubts about the sides, agreement, all with their counts."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
from pydantic import BaseModel
from scipy.stats import binomtest

from darkroom.contracts.votes import Ballots, CastBallot, Choice
from darkroom.votes.agreement import equal_share, krippendorff_alpha
from darkroom.votes.strengths import Fit, fit_strengths


class Strength(BaseModel):
    """A variant's strength in natural logarithms, 0 on average, with its 95 % interval."""

    variant: str
    strength: float
    low: float
    high: float
    judged: int
    preferred: int
    no_difference: int


class Meeting(BaseModel):
    """Two variants; `chance` is how likely the first is preferred, with its 95 % interval."""

    variant: str
    other: str
    preferred: int
    no_difference: int
    other_preferred: int
    chance: float
    low: float
    high: float


class Sides(BaseModel):
    """Whether people prefer a side whatever it shows: exact binomial test against one half."""

    left: int
    right: int
    share_left: float
    low: float
    high: float
    p_value: float


class Agreement(BaseModel):
    """Of voters on the same pair; `alpha` is Krippendorff's, both None where nobody met."""

    pairs: int  # judged by two or more
    equal_share: float | None
    alpha: float | None


class VoteReport(BaseModel):
    name: str
    voters: int
    photos: int
    pairs: int
    judged_pairs: int
    ballots: int
    no_difference: int
    strengths: list[Strength]  # strongest first
    meetings: list[Meeting]
    sides: Sides
    agreement: Agreement


def report_on(vote: Ballots) -> VoteReport:
    """The report of a vote with at least one ballot."""
    fit = fit_strengths(vote.ballots, vote.variants)
    units = _by_pair(vote)
    return VoteReport(
        name=vote.name,
        voters=len({ballot.voter for ballot in vote.ballots}),
        photos=vote.photos,
        pairs=vote.pairs,
        judged_pairs=len(units),
        ballots=len(vote.ballots),
        no_difference=sum(b.choice is Choice.NO_DIFFERENCE for b in vote.ballots),
        strengths=_strengths(vote, fit),
        meetings=_meetings(vote, fit),
        sides=_sides(vote),
        agreement=Agreement(
            pairs=sum(len(values) > 1 for values in units),
            equal_share=equal_share(units),
            alpha=krippendorff_alpha(units),
        ),
    )


def _preferred(ballot: CastBallot) -> str | None:
    """The variant, or None where there was no difference."""
    return {Choice.LEFT: ballot.left, Choice.RIGHT: ballot.right}.get(ballot.choice)


def _strengths(vote: Ballots, fit: Fit) -> list[Strength]:
    wins = Counter(map(_preferred, vote.ballots))
    found = []
    for place, variant in enumerate(vote.variants):
        low, high = fit.interval(fit.resampled[:, place])
        of_it = [ballot for ballot in vote.ballots if variant in (ballot.left, ballot.right)]
        found.append(
            Strength(
                variant=variant,
                strength=float(fit.strengths[place]),
                low=low,
                high=high,
                judged=len(of_it),
                preferred=wins[variant],
                no_difference=sum(b.choice is Choice.NO_DIFFERENCE for b in of_it),
            )
        )
    return sorted(found, key=lambda strength: -strength.strength)


def _meetings(vote: Ballots, fit: Fit) -> list[Meeting]:
    """Every two variants, the stronger one first."""
    order = [int(place) for place in np.argsort(-fit.strengths)]
    found = []
    for one, other in combinations(order, 2):
        names = vote.variants[one], vote.variants[other]
        counts = Counter(
            _preferred(ballot)
            for ballot in vote.ballots
            if {ballot.left, ballot.right} == set(names)
        )
        chances = 1 / (1 + np.exp(fit.resampled[:, other] - fit.resampled[:, one]))
        low, high = fit.interval(chances)
        found.append(
            Meeting(
                variant=names[0],
                other=names[1],
                preferred=counts[names[0]],
                no_difference=counts[None],
                other_preferred=counts[names[1]],
                chance=float(1 / (1 + np.exp(fit.strengths[other] - fit.strengths[one]))),
                low=low,
                high=high,
            )
        )
    return found


def _sides(vote: Ballots) -> Sides:
    left = sum(ballot.choice is Choice.LEFT for ballot in vote.ballots)
    right = sum(ballot.choice is Choice.RIGHT for ballot in vote.ballots)
    if not left + right:
        return Sides(left=0, right=0, share_left=0.5, low=0, high=1, p_value=1)
    test = binomtest(left, left + right, 0.5)
    interval = test.proportion_ci(0.95)
    return Sides(
        left=left,
        right=right,
        share_left=left / (left + right),
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(test.pvalue),
    )


def _by_pair(vote: Ballots) -> list[list[int]]:
    """The answers to each judged pair: -1 the variant named first in the vote, 1 the other, 0 none.

    Variants' names instead would make agreement by chance look rarer than it is.
    """
    place = {variant: number for number, variant in enumerate(vote.variants)}
    units: defaultdict[tuple[str, frozenset[str]], list[int]] = defaultdict(list)
    for ballot in vote.ballots:
        sign = 1 if place[ballot.left] > place[ballot.right] else -1
        answer = {Choice.LEFT: sign, Choice.RIGHT: -sign, Choice.NO_DIFFERENCE: 0}[ballot.choice]
        units[ballot.photo, frozenset((ballot.left, ballot.right))].append(answer)
    return list(units.values())
