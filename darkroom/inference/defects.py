"""The defect classifier: severities of all nine defects from a photo's views."""

import json
from pathlib import Path

import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.imaging.views import IN_PATCHES, IN_THUMBNAIL, Views, stack_views
from darkroom.inference.runtime import Network, load_network
from darkroom.weights.notes import read_notes

COLUMNS = IN_THUMBNAIL + IN_PATCHES  # order of the network's outputs


class Classifier:
    """A trained network with the thresholds that were fitted to it."""

    def __init__(self, network: Network, thresholds: dict[Defect, float]) -> None:
        self.network = network
        self.thresholds = thresholds

    def diagnose(self, views: list[Views]) -> list[Diagnosis]:
        (logits,) = self.network(*stack_views(views))
        severities = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return [
            Diagnosis(
                severities={d: round(float(s), 3) for d, s in zip(COLUMNS, row, strict=True)},
                thresholds=self.thresholds,
            )
            for row in severities
        ]


def load_classifier(weights: Path, device: str) -> Classifier:
    """Read the trained classifier, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    notes = read_notes(weights, "DefectNetwork")
    thresholds = {Defect(name): float(t) for name, t in json.loads(notes["thresholds"]).items()}
    return Classifier(load_network(weights, device), thresholds)
