"""`darkroom votes report`: what a vote says, in numbers, words and a picture."""

import json

import pytest
from PIL import Image

from darkroom.contracts.votes import Ballots
from darkroom.votes.report import report_on
from darkroom.votes.writing import markdown, write_report
from tests.votes.voters import a_vote

TASTE = {"old": -0.5, "new": 0.5}


def test_lean_to_a_side_is_found():
    """Voters who like the left whatever it shows: a small p-value, and an interval above half."""
    sides = report_on(a_vote(TASTE, lean=0.8)).sides

    assert sides.p_value < 0.001
    assert sides.low > 0.5


def test_lean_to_a_side_hides_no_variant():
    """Sides are drawn by lot: the stronger one is still found."""
    assert report_on(a_vote(TASTE, lean=0.8)).strengths[0].variant == "new"


def test_without_a_lean_none_is_claimed():
    """Left as often as right, as far as anybody can tell."""
    sides = report_on(a_vote(TASTE)).sides

    assert sides.p_value > 0.05
    assert sides.low < 0.5 < sides.high


def test_counts_add_up():
    """Each ballot is a preference for one of two variants or none; all are told."""
    report = report_on(a_vote({"a": 1.0, "b": 0.0, "c": -1.0}, shrugs=0.3, voters=3, photos=10))

    assert (report.voters, report.pairs, report.ballots) == (3, 30, 90)
    assert sum(m.preferred + m.no_difference + m.other_preferred for m in report.meetings) == 90
    assert sum(m.no_difference for m in report.meetings) == report.no_difference > 0
    assert sum(strength.judged for strength in report.strengths) == 180
    assert [strength.variant for strength in report.strengths] == ["a", "b", "c"]
    assert all(m.low < m.chance < m.high and m.chance > 0.5 for m in report.meetings)


def test_voters_of_one_taste_agree_and_others_do_not():
    """The same strong preference photo by photo, or none at all."""
    without = report_on(a_vote({"a": 0.0, "b": 0.0})).agreement
    assert without.alpha == pytest.approx(0, abs=0.05)
    assert without.equal_share == pytest.approx(0.5, abs=0.05)

    agreed = report_on(_agreed()).agreement
    assert agreed.alpha == pytest.approx(1)
    assert agreed.equal_share == 1


def _agreed() -> Ballots:
    """What everybody prefers changes from photo to photo."""
    odd = a_vote({"a": 50.0, "b": 0.0}, photos=5)
    even = a_vote({"a": 0.0, "b": 50.0}, photos=5).ballots
    renamed = tuple(ballot.model_copy(update={"photo": f"2{ballot.photo}"}) for ballot in even)
    return odd.model_copy(update={"ballots": odd.ballots + renamed})


def test_report_is_written_as_numbers_words_and_picture(tmp_path):
    """The three files tell of the same vote."""
    report = report_on(a_vote(TASTE, shrugs=0.2, voters=2, photos=6))

    write_report(report, tmp_path / "out")

    document = json.loads((tmp_path / "out" / "report.json").read_text())
    assert document["strengths"][0]["variant"] == report.strengths[0].variant
    assert "Krippendorff" in (tmp_path / "out" / "report.md").read_text()
    with Image.open(tmp_path / "out" / "report.png") as plot:
        assert plot.width > plot.height > 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a | b", "$x$ `*_#!`", "голос"])
def test_names_are_text_in_words_and_picture(tmp_path, name):
    """HTML, tables, formulas and other alphabets in names of variants do no harm."""
    report = report_on(a_vote({name: 1.0, "other": 0.0}, voters=1, photos=3))

    write_report(report, tmp_path)

    assert "<script" not in markdown(report)
    rows = [line for line in markdown(report).splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}
