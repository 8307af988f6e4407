"""Entry file of the archive `defects`."""

from collections.abc import Sequence
from pathlib import Path

from darkroom.contracts.diagnosis import Diagnosis
from darkroom.imaging.views import Views, take_views
from darkroom.inference.defects import load_classifier
from handlers.base import PhotoHandler
from handlers.slot import Slot, timed


class DefectsHandler(PhotoHandler[Views, Diagnosis]):
    """Diagnose photos of any sizes: their views have one size, so the batch is one call."""

    def load(self, weights: Path) -> None:
        self.classifier = load_classifier(weights, self.device)

    def look(self, slot: Slot) -> Views:
        with timed("network_ms", slot):
            views = take_views(slot.photo)
        slot.leave_pixels(views.thumbnail)
        return views

    def find(self, slots: Sequence[Slot], seen: Sequence[Views]) -> list[Diagnosis]:
        with timed("network_ms", *slots):
            return self.classifier.diagnose([*seen])

    def apply(self, slot: Slot, found: Diagnosis) -> Diagnosis:  # noqa: ARG002
        return found
