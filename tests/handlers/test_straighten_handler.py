import json

import numpy as np
import pytest

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.headers import MODEL, STEP
from darkroom.contracts.report import ModelReply, StepRequest
from darkroom.imaging.codec import decode
from darkroom.imaging.metrics import psnr
from darkroom.inference.straighten import Tilt
from handlers.straighten_handler import StraightenHandler
from tests.handlers.fakes import FakeContext, a_picture
from tests.photos import to_bytes
from tests.rooms import draw_room


class Guesser:
    """A straightener that says what it is told to say, whatever it sees."""

    least_confidence = 0.8

    def __init__(self, tilt=None):
        self.tilt = tilt or Tilt(5.0, 0.0, 0.9)

    def estimate(self, lines):
        return [self.tilt for _ in lines]


@pytest.fixture
def handler(start, monkeypatch):
    monkeypatch.setattr(
        StraightenHandler, "load", lambda self, _: setattr(self, "straightener", Guesser())
    )
    return start(StraightenHandler())


def asking(*defects, strength=1.0, enhancer=Enhancer.STRAIGHTEN):
    step = StepRequest(enhancer=enhancer, defects=dict.fromkeys(defects, 1.0), strength=strength)
    return FakeContext({STEP: step.model_dump_json()})


def straighten(handler, picture, context):
    """The photo that comes back, and the notes that come with it."""
    (reply,) = handler.handle([{"body": to_bytes(picture, "png")}], context)
    notes = ModelReply.model_validate_json(context.replied[0, MODEL]).notes
    return (decode(reply, 100_000) if reply else None), notes


def test_the_photo_is_turned_and_cropped(handler):
    """The reply is smaller, of the photo's shape and format, and says what was done."""
    photo, notes = straighten(handler, draw_room(1, 240, 160), asking("rotation"))

    height, width = photo.pixels.shape[:2]
    assert photo.format == "png"
    assert width < 230
    assert abs(width / height - 1.5) < 0.02
    assert notes["angle_degrees"] == 5.0
    assert abs(notes["cut_share"] - (1 - width * height / (240 * 160))) < 0.02


def test_strength_scales_the_angle(handler):
    """Half the strength turns by half the angle and keeps more of the frame."""
    room = draw_room(1, 240, 160)

    whole, _ = straighten(handler, room, asking("rotation"))
    half, notes = straighten(handler, room, asking("rotation", strength=0.5))

    assert notes["angle_degrees"] == 2.5
    assert half.pixels.shape > whole.pixels.shape


@pytest.mark.parametrize(
    ("tilt", "context"),
    [
        (Tilt(5.0, 0.0, 0.79), asking("rotation")),
        (Tilt(0.4, 1.0, 0.99), asking("rotation")),
        (Tilt(5.0, 0.0, 0.9), asking("rotation", strength=0)),
        (Tilt(5.0, 0.0, 0.9), asking()),
    ],
    ids=["unsure", "upright", "no strength", "nothing asked"],
)
def test_what_is_better_left_is_left_alone(handler, tilt, context):
    """Below the confidence, within the dead band or without an order: 204 and no body."""
    handler.straightener = Guesser(tilt)

    photo, _ = straighten(handler, draw_room(1, 240, 160), context)

    assert photo is None
    assert context.status == {0: 204}


def test_transparency_turns_with_the_photo(handler):
    """Alpha that marks the room's dark parts still marks them afterwards."""
    room = draw_room(2, 240, 160)
    alpha = np.where(room.mean(axis=2) > 128, 255, 0).astype(np.uint8)

    photo, _ = straighten(handler, np.dstack([room, alpha]), asking("rotation"))

    assert photo.alpha.shape == photo.pixels.shape[:2]
    same = (photo.pixels.mean(axis=2) > 128) == (photo.alpha > 128)
    assert same.mean() > 0.97


def test_a_grey_photo_stays_grey(handler):
    photo, _ = straighten(handler, draw_room(1, 240, 160)[..., 1], asking("rotation"))

    assert photo.grey
    assert photo.pixels.shape[1] < 230


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 2)])
def test_a_thread_of_a_photo_is_left_alone(handler, size):
    """There is nothing to crop to: no failure, no change, however sure the network is."""
    context = asking("rotation")

    photo, _ = straighten(handler, np.full((*size, 3), 90, np.uint8), context)

    assert photo is None
    assert context.status == {0: 204}


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (asking("noisy"), "unknown_defect"),
        (asking("rotation", enhancer=Enhancer.TONE), "malformed_request"),
    ],
)
def test_what_straighten_does_not_mend_is_refused(handler, context, code):
    """A step for another enhancer, or with a defect that is not ours, is a 400."""
    (reply,) = handler.handle([{"body": to_bytes(a_picture())}], context)

    assert context.status == {0: 400}
    assert json.loads(reply)["code"] == code


def test_photos_of_a_batch_do_not_mix(handler):
    """Of two photos of different sizes each comes back as its own."""
    small, large = draw_room(1, 120, 80), draw_room(2, 240, 160)
    headers = asking("rotation").headers[0]
    bodies = [{"body": to_bytes(room, "png")} for room in (small, large)]

    together = handler.handle(bodies, FakeContext(headers, headers))
    alone = [handler.handle([body], asking("rotation"))[0] for body in bodies]

    for one, other in zip(together, alone, strict=True):
        assert psnr(decode(one, 100_000).pixels, decode(other, 100_000).pixels) > 60
