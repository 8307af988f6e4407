"""Whether one of two methods, tried on the same photos, is better: paired tests and their size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
FEWEST = 5  # photos; with fewer no paired test can tell anything


@dataclass(frozen=True)
class Comparison:
    """What changed from the first method to the second, over the photos both were tried on."""

    photos: int
    before: float  # mean of the first
    after: float
    change: float  # mean of the differences
    low: float  # 95 % confidence interval of that mean, by Student's t
    high: float
    effect: float  # Cohen's d of paired samples: mean difference in its own standard deviations
    p_t: float  # paired t-test, two-sided
    p_wilcoxon: float  # Wilcoxon's signed ranks, two-sided


def compare(before: Sequence[float], after: Sequence[float]) -> Comparison:
    """Compare one measure of the same photos before and after.

    Raises:
        ValueError: the lengths differ, or there are too few photos, or a measure is not finite.
    """
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if first.shape != second.shape or len(first) < FEWEST:
        raise ValueError(f"{len(first)} and {len(second)} photos cannot be compared")
    if not np.isfinite(first).all() or not np.isfinite(second).all():
        raise ValueError("a measure is not finite")
    difference = second - first
    mean, deviation = float(difference.mean()), float(difference.std(ddof=1))
    if deviation == 0:  # the tests divide by it: equal photos prove nothing, equal shifts all
        p = 1.0 if mean == 0 else 0.0
        effect = 0.0 if mean == 0 else float(np.copysign(np.inf, mean))
        return Comparison(
            len(first), float(first.mean()), float(second.mean()), mean, mean, mean, effect, p, p
        )
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(first) - 1)) * deviation / len(first) ** 0.5
    return Comparison(
        photos=len(first),
        before=float(first.mean()),
        after=float(second.mean()),
        change=mean,
        low=mean - half,
        high=mean + half,
        effect=mean / deviation,
        p_t=float(stats.ttest_rel(second, first).pvalue),
        p_wilcoxon=float(stats.wilcoxon(second, first).pvalue),
    )


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Adjust p-values that are looked at together, in their order (Holm 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none becomes
    smaller than one before it, nor larger than 1.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
