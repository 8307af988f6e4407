"""Tests of `darkroom.trial.samples` and of the measures over them."""

import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from darkroom.imaging.codec import decode
from darkroom.trial.measures import light_db, misjudged, nearness_db
from darkroom.trial.samples import TINY, samples_for
from tests.gateway.replica import a_diagnosis

MODELS = ("defects", "restore", "straighten", "tone", "colorize")


@pytest.mark.parametrize("model", MODELS)
def test_there_are_photos_for_every_model_server(model):
    """Of the size asked for, and further from the clean photo than JPEG alone brings them."""
    for sample in samples_for(model, TINY):
        photo = decode(sample.payload, 100_000).pixels
        is_spoilt = sample.defect is not None or model == "colorize"

        assert photo.shape == sample.clean.shape == (TINY[1], TINY[0], 3)
        assert (nearness_db(photo, sample.clean) < 28) == is_spoilt


def test_an_unknown_model_server_has_none():
    """Its trial stops rather than say that all is well."""
    with pytest.raises(ValueError, match="sepia"):
        samples_for("sepia", TINY)


def test_half_of_the_light_is_three_decibels():
    """Whatever the photo."""
    clean = samples_for("tone", TINY)[0].clean
    half = np.rint(clean * 0.5 ** (1 / 2.2)).astype(np.uint8)

    assert light_db(half) - light_db(clean) == pytest.approx(-3.0, abs=0.1)


def test_a_cropped_photo_is_compared_with_the_middle_of_the_clean_one():
    """Cropped about its middle it is as near as whole; cropped elsewhere it is not."""
    clean = samples_for("straighten", TINY)[0].clean

    assert nearness_db(clean[10:-10, 15:-15], clean) == nearness_db(clean, clean)
    assert nearness_db(clean[:-20, :-30], clean) < 25


def test_a_defect_missed_or_made_up_counts_as_wrong():
    """Less of what was made on purpose, or more of what was not; the other way round is better."""
    dark, light = a_diagnosis(low_light=0.9), a_diagnosis(low_light=0.1)

    assert misjudged(light, dark, Defect.LOW_LIGHT) == pytest.approx(0.8)
    assert misjudged(dark, light, None) == pytest.approx(0.8)
    assert misjudged(dark, light, Defect.LOW_LIGHT) == pytest.approx(0.0)
