import pytest

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply
from handlers.defects_handler import DefectsHandler
from tests.handlers.fakes import FakeContext, a_picture
from tests.photos import to_bytes


class LightMeter:
    """A classifier that knows darkness alone: 1 for a black thumbnail, 0 for a white one."""

    def __init__(self):
        self.batches = []

    def diagnose(self, views):
        self.batches.append(len(views))
        return [
            Diagnosis(
                severities=dict.fromkeys(Defect, 0.0)
                | {Defect.LOW_LIGHT: 1 - float(view.thumbnail.mean()) / 255},
                thresholds=dict.fromkeys(Defect, 0.5),
            )
            for view in views
        ]


@pytest.fixture
def handler(start, monkeypatch):
    monkeypatch.setattr(
        DefectsHandler, "load", lambda self, _: setattr(self, "classifier", LightMeter())
    )
    started = start(DefectsHandler())
    started.classifier.batches.clear()
    return started


def test_each_photo_gets_its_own_diagnosis(handler):
    """A batch of photos of different sizes is one call; the replies are diagnoses, in order."""
    pictures = [a_picture() // 8, a_picture(1, 96, 40) // 2 + 127]
    context = FakeContext()

    replies = handler.handle([{"body": to_bytes(picture)} for picture in pictures], context)

    dark, light = (Diagnosis.model_validate_json(reply) for reply in replies)
    assert (dark.found, light.found) == ((Defect.LOW_LIGHT,), ())
    assert handler.classifier.batches == [2]
    assert context.media_type == {0: "application/json", 1: "application/json"}


def test_the_stages_of_a_diagnosis_are_decode_and_network(handler):
    """Nothing is applied and nothing encoded: those stages cost nothing."""
    context = FakeContext()

    handler.handle([{"body": to_bytes(a_picture())}], context)

    stages = ModelReply.model_validate_json(context.replied[0, MODEL]).stages
    assert stages.decode_ms > 0
    assert stages.network_ms > 0
    assert (stages.apply_ms, stages.encode_ms) == (0, 0)
