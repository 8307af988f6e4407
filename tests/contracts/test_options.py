import pytest
from pydantic import ValidationError

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.options import EnhanceOptions, FixDefectOptions


def test_steps_are_read_from_a_comma_separated_list():
    """A form field or query string names several steps in one value."""
    options = EnhanceOptions.model_validate({"steps": "tone, restore"})

    assert options.steps == (Enhancer.TONE, Enhancer.RESTORE)


@pytest.mark.parametrize(
    "values",
    [{"steps": ""}, {"steps": "polish"}, {"strength": "1.5"}, {"strenght": "1"}, {"budget_ms": 0}],
)
def test_unknown_or_impossible_options_are_refused(values):
    """A misspelled option is an error, not a default."""
    with pytest.raises(ValidationError):
        EnhanceOptions.model_validate(values)


def test_fixing_needs_a_known_defect():
    """There is no default defect and no tenth one."""
    for values in ({}, {"defect_to_fix": "ugliness"}):
        with pytest.raises(ValidationError):
            FixDefectOptions.model_validate(values)
