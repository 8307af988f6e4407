"""Entry file of the archive `defects`."""

from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.diagnosis import Diagnosis
from darkroom.imaging.views import take_views
from darkroom.inference.defects import load_classifier
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class DefectsHandler(PhotoHandler):
    """Diagnose photos of any sizes: their views have one size, so the batch is one call."""

    def load(self, weights: Path) -> None:
        self.classifier = load_classifier(weights, self.device)

    def answer(self, slots: Sequence[Slot]) -> list[Diagnosis]:
        with timed("network_ms", *slots):
            views = [take_views(slot.photo) for slot in slots]
            diagnoses = self.classifier.diagnose(views)
        for slot, seen in zip(slots, views, strict=True):
            slot.leave_pixels(seen.thumbnail)
        return diagnoses
