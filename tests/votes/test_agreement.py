"""`darkroom/votes/agreement.py`."""

import pytest

from darkroom.votes.agreement import equal_share, krippendorff_alpha

# Four observers, twelve units: the example of Krippendorff (2011), section C.
PUBLISHED = (
    *("111", "2232", "3333", "3333", "2222", "1234"),
    *("4444", "1121", "2222", "555", "11", "3"),
)


def test_alpha_is_that_of_the_published_example():
    """0.743 for nominal values with missing ones."""
    assert krippendorff_alpha(PUBLISHED) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_complete_agreement_is_one():
    """Where values differ from unit to unit and never within one."""
    assert krippendorff_alpha(["aa", "bb", "aa"]) == 1


def test_alpha_of_disagreement_is_below_zero():
    """Rarer agreement than chance would have it."""
    alpha = krippendorff_alpha(["ab", "ab", "ab"])

    assert alpha is not None
    assert alpha < 0


@pytest.mark.parametrize("units", [[], ["a", "b"], ["aa", "aa"]], ids=["none", "alone", "equal"])
def test_alpha_is_undefined_where_chance_explains_all(units):
    """No two judges of a unit, or one value throughout."""
    assert krippendorff_alpha(units) is None


def test_equal_share_counts_judges_of_the_same_unit():
    """Of three judges two agree: one of three couples; a lone judge has nobody to agree with."""
    assert equal_share(["aab", "c"]) == pytest.approx(1 / 3)
    assert equal_share(["a"]) is None
