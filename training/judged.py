"""What the defect classifier has said of pictures, beside the truth: its thresholds and figures.

A photo that has a defect by itself is left out for this defect: it is no negative, and how much of
the defect is in the degraded photo is not known. The figures of all photos stand beside.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from darkroom.contracts.defects import Defect
from darkroom.inference.defects import COLUMNS

SEVERITIES = (0.4, 0.8)
PRESENT = 0.2  # true severity from which a defect is there; below ABSENT it is not
ABSENT = 0.02
FALSE_ALARMS = 0.02  # most that a threshold may cost on clean photos; several fall on the same ones
NEARLY = 0.01  # of the F-measure
NEARLY_DARK = 0.002  # the same for darkness, which may be meant: what one picture makes out
# A tint taken from a photo that had none is seen at once, a weak one that stays is not.
CAUTIOUS = frozenset({Defect.POOR_WHITE_BALANCE})


@dataclass(frozen=True)
class Judged:
    """Truth and prediction of every picture, (pictures, 9) each in the order of COLUMNS."""

    truth: np.ndarray  # NaN, which is neither present nor absent, where it is not known
    predicted: np.ndarray
    clean: np.ndarray  # (pictures,) bool: degraded by nothing
    own: np.ndarray  # (pictures, 9) bool: the photo has the defect by itself

    def known(self) -> "Judged":
        """The same without what is not known: the severity of defects that a photo had before."""
        return replace(self, truth=np.where(self.own, np.nan, self.truth))


def fit_thresholds(judged: Judged) -> np.ndarray:
    """For each defect the lowest threshold with few enough false alarms and all but the best F1.

    F1 hardly changes over a wide range where severities are 0.4 and 0.8; real photos often have
    less, so of what is nearly equal the most sensitive is taken. Of the defects in `CAUTIOUS` it is
    F0.5, and a photo that has such a defect by itself, which may be meant, counts as one without.
    """
    thresholds = []
    for column, defect in enumerate(COLUMNS):
        used = judged if defect in CAUTIOUS else judged.known()
        good = used.clean & ~np.isnan(used.truth[:, column])
        alarms = np.quantile(used.predicted[good, column], 1 - FALSE_ALARMS)
        candidates = np.arange(max(0.05, float(alarms)), 0.6, 0.005)
        beta = 0.5 if defect in CAUTIOUS else 1.0
        nearly = NEARLY_DARK if defect is Defect.LOW_LIGHT else NEARLY
        scores = np.asarray([f_measure(used, column, t, beta) for t in candidates])
        best = candidates[scores >= scores.max() - nearly]
        thresholds.append(round(float(best[0]), 3))
    return np.asarray(thresholds)


def f_measure(judged: Judged, column: int, threshold: float, beta: float = 1.0) -> float:
    """Mean of precision and recall, harmonic, that counts recall `beta` times as much."""
    truth, found = judged.truth[:, column], judged.predicted[:, column] >= threshold
    hits, misses = int(np.sum(found & (truth >= PRESENT))), int(np.sum(~found & (truth >= PRESENT)))
    alarms = int(np.sum(found & (truth < ABSENT)))
    weight = beta**2
    return (1 + weight) * hits / max((1 + weight) * hits + weight * misses + alarms, 1)


def measure(judged: Judged, thresholds: np.ndarray) -> dict[str, dict[str, float]]:
    """The figures of each defect, over all pictures of which the truth is known."""
    report = {}
    for column, defect in enumerate(COLUMNS):
        truth, predicted = judged.truth[:, column], judged.predicted[:, column]
        decided = (truth >= PRESENT) | (truth < ABSENT)
        known = ~np.isnan(truth)
        error = np.abs(truth - predicted)
        alarms = predicted[judged.clean & known] >= thresholds[column]
        report[defect.value] = {
            "auroc": float(roc_auc_score(truth[decided] >= PRESENT, predicted[decided])),
            "f1": f_measure(judged, column, thresholds[column]),
            "mae": float(error[known].mean()),
            "mae_where_present": float(error[truth >= PRESENT].mean()),
            "false_alarms_on_clean": float(alarms.mean()),
            "threshold": float(thresholds[column]),
        }
    return report


def any_alarm(judged: Judged, good: np.ndarray, thresholds: np.ndarray) -> float:
    """Share of the good photos, (pictures,) bool, that are said to have any defect at all."""
    return float((judged.predicted[good] >= thresholds).any(axis=1).mean())


def summarise(judged: Judged, thresholds: np.ndarray) -> dict[str, Any]:
    good = judged.clean & ~judged.own.any(axis=1)
    return {
        "photos": int(judged.clean.sum()),
        "good_photos": int(good.sum()),
        "severities": SEVERITIES,
        "good_photos_with_any_alarm": any_alarm(judged, good, thresholds),
        "all_photos_with_any_alarm": any_alarm(judged, judged.clean, thresholds),
        "defects": measure(judged.known(), thresholds),
        "defects_over_all_photos": measure(judged, thresholds),
    }
