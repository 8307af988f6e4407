"""Tests of `darkroom.trial.verdict`."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from darkroom.trial.samples import SCENES
from darkroom.trial.verdict import Difference, Findings, Limits, Times, faults

PROJECT = Path(__file__).parents[2]
USUAL = Times(cpu_ms=[20.0, 22.0, 24.0, 21.0, 23.0], stages_ms=[25.0, 40.0, 90.0, 31.0, 60.0])
AS_GOOD = Findings(USUAL, USUAL, asked=612, wrong=0, differences=[Difference()] * 3)


def times(factor_cpu=1.0, factor_clock=1.0):
    return Times(
        [ms * factor_cpu for ms in USUAL.cpu_ms], [ms * factor_clock for ms in USUAL.stages_ms]
    )


@pytest.mark.parametrize(
    ("worse", "fault"),
    [
        ({"wrong": 12}, "wrong answers"),
        ({"wrong": 1, "asked": 1}, "wrong answers"),
        ({"newcomer": times(1.7)}, "slower"),
        ({"newcomer": times(1.0, 4.0)}, "slower"),
        ({"differences": [Difference(light_db=-3.0)] * 3}, "darker"),
        ({"differences": [Difference(light_db=3.0)] * 3}, "brighter"),
        ({"differences": [Difference(nearer_db=-3.0)] * 3}, "further from clean photos"),
        (
            {"differences": [Difference(severity=0.5)] * SCENES + [Difference()] * 9},
            "defects missed or made up",
        ),
    ],
)
def test_each_way_to_be_worse_is_a_fault(worse, fault):
    """Errors, no answer, more processor time, mere waiting, 3 dB, one defect never seen."""
    assert faults(replace(AS_GOOD, **worse), Limits()) == [fault]


@pytest.mark.parametrize(
    "findings",
    [
        AS_GOOD,
        replace(AS_GOOD, wrong=1, asked=20),
        replace(AS_GOOD, newcomer=times(1.2, 2.0)),
        replace(AS_GOOD, newcomer=Times([90.0] * 4, [90.0] * 4)),
        replace(AS_GOOD, differences=[Difference(), Difference(-9, -9, 0.9), Difference(1, 1)]),
        replace(AS_GOOD, differences=[Difference(nearer_db=5.0)] * 3),
        replace(AS_GOOD, differences=[]),
    ],
    ids=["equal", "one error", "busy machine", "few times", "one odd photo", "better", "nothing"],
)
def test_what_a_good_version_may_show_is_no_fault(findings):
    """A single failure, a sibling at work beside it, too few times, one photo that differs."""
    assert faults(findings, Limits()) == []


def test_times_unknown_to_an_older_sibling_are_not_compared():
    """A version that does not tell its processor time counts it as 0."""
    findings = replace(AS_GOOD, established=times(0.0))

    assert findings.cpu_ratio == 1.0
    assert faults(findings, Limits()) == []


def test_limits_are_read_from_the_environment():
    """What is empty has its default, what is no number stops the trial."""
    environment = {"DARKROOM_TRIAL_SLOWER": "2.5", "DARKROOM_TRIAL_DB": ""}

    assert Limits.read(environment) == Limits(slower=2.5)
    with pytest.raises(ValueError, match="much"):
        Limits.read({"DARKROOM_TRIAL_DB": "much"})


def test_every_limit_is_documented_with_its_default():
    """docs/settings.md has a row for each."""
    text = (PROJECT / "docs" / "settings.md").read_text()

    for field in fields(Limits):
        row = f"| `DARKROOM_TRIAL_{field.name.upper()}` | `{field.default:g}` |"
        assert row in text
