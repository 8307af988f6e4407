import json

import numpy as np
import pytest

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.headers import BUDGET, MODEL, STEP
from darkroom.contracts.report import ModelReply, StepRequest
from darkroom.imaging.codec import decode
from darkroom.imaging.working_size import Pace
from handlers.restore_handler import RestoreHandler
from tests.handlers.fakes import FakeContext, a_picture
from tests.photos import to_bytes


class Reddener:
    """A restorer that adds 20 levels of red and remembers what it was told."""

    def __init__(self):
        self.told = []
        self.room_for = 1000

    def correct(self, tiles, told):
        if len(tiles) > self.room_for:
            raise MemoryError
        self.told += [row.tolist() for row in told]
        return np.broadcast_to(np.asarray([20, 0, 0], np.float32), tiles.shape)


@pytest.fixture
def handler(start, monkeypatch):
    def load(self, _):
        self.restorer, self.pace = Reddener(), Pace()

    monkeypatch.setattr(RestoreHandler, "load", load)
    started = start(RestoreHandler())
    started.restorer.told.clear()
    return started


def asking(*, strength=1.0, enhancer=Enhancer.RESTORE, budget_ms=None, **defects):
    step = StepRequest(enhancer=enhancer, defects=defects, strength=strength)
    headers = {STEP: step.model_dump_json()}
    return FakeContext(headers | ({BUDGET: str(budget_ms)} if budget_ms else {}))


def mended(handler, picture, context):
    (reply,) = handler.handle([{"body": to_bytes(picture, "png")}], context)
    assert context.status == {}
    return decode(reply, 10_000_000)


def test_the_correction_is_added_at_full_size(handler):
    """The reply has the photo's size and format, and the stages are told."""
    picture, context = a_picture(), asking(noisy=0.5)

    result = mended(handler, picture, context)

    assert result.format == "png"
    assert np.array_equal(result.pixels, picture + np.asarray([20, 0, 0], np.uint8))
    reply = ModelReply.model_validate_json(context.replied[0, MODEL])
    assert min(reply.stages.network_ms, reply.stages.apply_ms) > 0
    assert reply.notes == {}


def test_the_network_is_told_the_severities(handler):
    """In its own order; what the step does not name is 0, and without a step all are 1."""
    mended(handler, a_picture(), asking(jpeg_artifacts=0.25, noisy=0.5))
    mended(handler, a_picture(), FakeContext())

    assert handler.restorer.told == [[0.5, 0.0, 0.25], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("context", [asking(), asking(noisy=1.0, strength=0)])
def test_with_nothing_to_do_the_photo_is_left_alone(handler, context):
    """No defect or no strength: no reply body, and the network has no work."""
    replies = handler.handle([{"body": to_bytes(a_picture(), "png")}], context)

    assert (replies, context.status) == ([b""], {0: 204})
    assert handler.restorer.told == []


def test_strength_blends_without_another_inference(handler):
    """Half the strength, half the red, one tile."""
    picture = a_picture()

    result = mended(handler, picture, asking(noisy=1.0, strength=0.5))

    assert np.array_equal(result.pixels, picture + np.asarray([10, 0, 0], np.uint8))
    assert len(handler.restorer.told) == 1


def test_short_of_time_a_smaller_size_is_worked_on(handler):
    """The photo keeps its size; how large it was worked on is in the report."""
    picture = a_picture(width=1600, height=1200)
    handler.pace = Pace(tile_ms=10_000.0)

    context = asking(noisy=1.0, budget_ms=100_000)
    result = mended(handler, picture, context)

    assert result.pixels.shape == picture.shape
    assert (result.pixels[..., 0].astype(int) - picture[..., 0]).mean() == pytest.approx(20, abs=3)
    notes = ModelReply.model_validate_json(context.replied[0, MODEL]).notes
    assert 300 < notes["working_px"] < 1600


def test_without_enough_time_it_refuses(handler):
    """Rather than come too late."""
    handler.pace = Pace(tile_ms=5000.0)
    context = asking(noisy=1.0, budget_ms=1000)

    (reply,) = handler.handle([{"body": to_bytes(a_picture(), "png")}], context)

    assert (context.status, json.loads(reply)["code"]) == ({0: 504}, "out_of_time")


def test_short_of_memory_it_says_how_it_managed(handler):
    """Tiles one by one, where four at once do not fit."""
    handler.restorer.room_for = 1
    context = asking(noisy=1.0)

    mended(handler, a_picture(width=640, height=480), context)

    notes = ModelReply.model_validate_json(context.replied[0, MODEL]).notes
    assert notes == {"tile_px": 352, "tile_batch": 1}


@pytest.mark.parametrize("stored", [a_picture()[..., 0], np.repeat(a_picture()[..., :1], 3, 2)])
def test_grey_photos_stay_grey(handler, stored):
    """Stored with one channel or with three equal ones: the red goes into the light alone."""
    result = mended(handler, stored, asking(noisy=1.0))

    assert np.ptp(result.pixels.astype(int), axis=2).max() == 0
    assert result.pixels.mean() > stored.mean() + 3


def test_transparency_is_not_touched(handler):
    """Alpha comes back as it went in."""
    alpha = a_picture(1)[..., :1]

    result = mended(handler, np.concatenate([a_picture(), alpha], axis=2), asking(blur=0.5))

    assert np.array_equal(result.alpha, alpha[..., 0])


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (asking(rotation=1.0), "unknown_defect"),
        (asking(noisy=1.0, enhancer=Enhancer.TONE), "malformed_request"),
    ],
)
def test_what_restore_does_not_mend_is_refused(handler, context, code):
    """A step for another enhancer, or with a defect that is not ours, is a 400."""
    (reply,) = handler.handle([{"body": to_bytes(a_picture())}], context)

    assert (context.status, json.loads(reply)["code"]) == ({0: 400}, code)


def test_photos_of_a_batch_each_get_their_own(handler):
    """One is left alone, two are mended, in their order."""
    step = asking(noisy=1.0).headers[0]
    context = FakeContext(step, asking().headers[0], step)
    bodies = [{"body": to_bytes(a_picture(seed), "png")} for seed in range(3)]

    replies = handler.handle(bodies, context)

    assert context.status == {1: 204}
    for seed in (0, 2):
        difference = decode(replies[seed], 10_000).pixels.astype(int) - a_picture(seed)
        assert (difference[..., 0] == 20).all()
