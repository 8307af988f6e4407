import pytest
from pydantic import ValidationError

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis

THRESHOLDS = dict.fromkeys(Defect, 0.5)
NOTHING = dict.fromkeys(Defect, 0.0)


def diagnosis(**severities: float) -> Diagnosis:
    found = {Defect(name): severity for name, severity in severities.items()}
    return Diagnosis(severities=NOTHING | found, thresholds=THRESHOLDS)


@pytest.mark.parametrize("field", ["severities", "thresholds"])
def test_incomplete_diagnosis_is_refused(field):
    """A diagnosis speaks of all nine defects, or it is none."""
    values = {"severities": NOTHING, "thresholds": THRESHOLDS}
    values[field] = {defect: 0.1 for defect in Defect if defect is not Defect.BLUR}

    with pytest.raises(ValidationError, match=field):
        Diagnosis(**values)


@pytest.mark.parametrize("severity", [-0.01, 1.01, float("nan")])
def test_severity_outside_its_range_is_refused(severity):
    """Severities run from 0 to 1."""
    with pytest.raises(ValidationError):
        diagnosis(blur=severity)


def test_found_defects_come_worst_first():
    """What clients get from /detect_problems is ordered by severity."""
    assert diagnosis(blur=0.6, hazy=0.9, noisy=0.7).found == ("hazy", "noisy", "blur")


def test_defect_counts_from_its_threshold_on():
    """At the threshold a defect is found, under it not."""
    assert diagnosis(glaring=0.5, blur=0.49).found == (Defect.GLARING,)


def test_diagnosis_survives_the_wire():
    """JSON and back gives an equal diagnosis."""
    sent = diagnosis(rotation=0.8)

    assert Diagnosis.model_validate_json(sent.model_dump_json()) == sent
