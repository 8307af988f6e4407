import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from darkroom.inference.defects import COLUMNS
from training.judged import Judged, fit_thresholds, measure, summarise

CAST, DARK, FLAT = (
    COLUMNS.index(d) for d in (Defect.POOR_WHITE_BALANCE, Defect.LOW_LIGHT, Defect.LOW_CONTRAST)
)


def judge_photos(photos: int) -> Judged:
    """Photos clean and with every defect at 0.8, told apart with ease."""
    columns = len(COLUMNS)
    truth = np.tile(np.concatenate([np.zeros((1, columns)), 0.8 * np.eye(columns)]), (photos, 1))
    return Judged(truth, 0.05 + truth, ~truth.any(axis=1), np.zeros(truth.shape, bool))


def judge_twenty(own_column: int) -> Judged:
    """Twenty of them, the last of which has one defect by itself: so says the classifier, too."""
    judged = judge_photos(20)
    last = slice(-(1 + len(COLUMNS)), None)
    judged.predicted[last, own_column], judged.own[last, own_column] = 0.9, True
    return judged


def test_photo_is_left_out_for_the_defect_that_it_has_by_itself():
    """Its alarms cost nothing where its tint is known to us, and all other photos are judged."""
    judged, thresholds = judge_twenty(CAST), np.full(len(COLUMNS), 0.5)

    without, over_all = measure(judged.known(), thresholds), measure(judged, thresholds)

    tint, tint_over_all = without.pop("poor_white_balance"), over_all.pop("poor_white_balance")
    assert (tint["f1"], tint["false_alarms_on_clean"]) == (1, 0)
    assert tint_over_all["f1"] < 0.9
    assert tint_over_all["false_alarms_on_clean"] == pytest.approx(1 / 20)
    assert without == over_all


def test_threshold_of_casts_avoids_what_is_tinted_by_itself():
    """That may be meant, as evening light is; a room that is dark by itself need not be avoided."""
    assert fit_thresholds(judge_twenty(CAST))[CAST] > 0.2
    assert fit_thresholds(judge_twenty(DARK))[DARK] < 0.2


def test_threshold_of_darkness_avoids_a_single_alarm():
    """One in sixty good photos is a fair price for flat ones found, not for dark ones."""
    judged = judge_photos(60)
    judged.predicted[0, [DARK, FLAT]] = 0.3

    thresholds = fit_thresholds(judged)

    assert thresholds[FLAT] < 0.3 < thresholds[DARK]


def test_photo_with_a_defect_of_its_own_is_not_called_good():
    """Alarms on good photos are counted without it, alarms on all photos with it."""
    summary = summarise(judge_twenty(CAST), np.full(len(COLUMNS), 0.5))

    assert (summary["photos"], summary["good_photos"]) == (20, 19)
    assert summary["good_photos_with_any_alarm"] == 0
    assert summary["all_photos_with_any_alarm"] == pytest.approx(1 / 20)
