"""What an enhancer's result looks like to the defect classifier, before anybody keeps it.

Model servers measure, the gateway decides: the severities travel back with the photo.
"""

import dataclasses
from pathlib import Path

from darkroom.contracts.defects import Defect
from darkroom.imaging.codec import jpeg_quality
from darkroom.imaging.jpeg import standard_tables
from darkroom.imaging.photo import Format, Photo
from darkroom.imaging.views import take_views
from darkroom.inference.defects import Classifier, load_classifier

WEIGHTS = "defects.safetensors"  # the model server `defects` has the same


class Judge:
    """Measures severities as the model server `defects` would, without a file in between."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def severities(self, photo: Photo) -> dict[Defect, float]:
        """Severities of all nine defects in the file that `photo` will be encoded as."""
        if photo.format is Format.JPEG:
            tables = standard_tables(jpeg_quality(photo))
            photo = dataclasses.replace(photo, quantisation=tables)
        (diagnosis,) = self._classifier.diagnose([take_views(photo)])
        return diagnosis.severities


def load_judge(folder: Path, device: str) -> Judge | None:
    """The judge of an unpacked archive; None where the archive brings none along."""
    weights = folder / WEIGHTS
    return Judge(load_classifier(weights, device)) if weights.is_file() else None
