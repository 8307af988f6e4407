import numpy as np
import pytest
from scipy import stats

from training.comparison import compare, holm


def test_known_numbers():
    """Differences 1…5: t = 3 / (√2.5 / √5) = 4.243 on 4 degrees; Wilcoxon 2 / 2⁵ exactly."""
    found = compare([0, 0, 0, 0, 0], [1, 2, 3, 4, 5])

    assert found.change == 3
    assert found.effect == pytest.approx(3 / 2.5**0.5)
    assert found.p_t == pytest.approx(0.01324, abs=1e-5)
    assert found.p_wilcoxon == pytest.approx(0.0625)
    assert (found.low, found.high) == pytest.approx((3 - 1.9633, 3 + 1.9633), abs=1e-3)


def test_agrees_with_scipy():
    """Interval and p-value are those that SciPy's own result object has."""
    rng = np.random.default_rng(1)
    before = rng.normal(20, 3, 40)
    after = before + rng.normal(0.4, 1, 40)

    found = compare(before.tolist(), after.tolist())

    expected = stats.ttest_rel(after, before)
    interval = expected.confidence_interval(0.95)
    assert found.p_t == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_nothing_changed_proves_nothing():
    """Equal measures give p = 1 and no effect, not a division by zero."""
    found = compare([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])

    assert (found.p_t, found.p_wilcoxon, found.effect) == (1, 1, 0)


@pytest.mark.parametrize("after", [[1, 2], [1, 2, 3, 4], [1, 2, 3, 4, float("nan")]])
def test_what_cannot_be_compared_is_refused(after):
    """Too few photos, other photos or measures that are no numbers are errors, not p-values."""
    with pytest.raises(ValueError, match=r"compared|finite"):
        compare([1, 2, 3, 4, 5][: max(len(after), 5)], after)


def test_holm_known_numbers():
    """Holm's steps: 0.01·4, 0.02·3 … never falling, in the order they were asked in."""
    adjusted = holm([0.04, 0.01, 0.03, 0.02])

    assert adjusted.tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.9]).tolist() == [1, 1]
