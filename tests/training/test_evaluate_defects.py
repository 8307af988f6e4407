import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from darkroom.inference.defects import COLUMNS
from training.evaluate_defects import Judged, fit_thresholds, measure, summarise

CAST, DARK = (COLUMNS.index(d) for d in (Defect.POOR_WHITE_BALANCE, Defect.LOW_LIGHT))


def judge_twenty(own_column: int) -> Judged:
    """Twenty photos, clean and with every defect at 0.8, told apart with ease but for one.

    The last one has one defect by itself: the classifier says so, clean or degraded.
    """
    photos, columns = 20, len(COLUMNS)
    truth = np.tile(np.concatenate([np.zeros((1, columns)), 0.8 * np.eye(columns)]), (photos, 1))
    predicted = 0.05 + truth
    own = np.zeros(truth.shape, bool)
    last = slice(-(1 + columns), None)
    predicted[last, own_column], own[last, own_column] = 0.9, True
    return Judged(truth, predicted, ~truth.any(axis=1), own)


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


def test_photo_with_a_defect_of_its_own_is_not_called_good():
    """Alarms on good photos are counted without it, alarms on all photos with it."""
    summary = summarise(judge_twenty(CAST), np.full(len(COLUMNS), 0.5))

    assert (summary["photos"], summary["good_photos"]) == (20, 19)
    assert summary["good_photos_with_any_alarm"] == 0
    assert summary["all_photos_with_any_alarm"] == pytest.approx(1 / 20)
