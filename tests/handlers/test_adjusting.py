"""`handlers/adjusting.py`: manual sliders in the model server `tone`."""

import json

import numpy as np
import pytest

from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.headers import ADJUST
from darkroom.imaging.adjust import adjust
from darkroom.imaging.codec import decode
from handlers.tone_handler import ToneHandler
from tests.handlers.fakes import FakeContext
from tests.photos import to_bytes


class NoToner:
    """The network's place: sliders are no matter of it."""

    def plan(self, _):
        raise AssertionError("the network was asked")


@pytest.fixture
def handler():
    made = ToneHandler()
    made.name, made.version, made.weights_sha256, made.device = "tone", "1.0", "0" * 64, "cpu"
    made.toner, made.judge = NoToner(), None
    return made


def a_picture(channels=3):
    return np.random.default_rng(3).integers(0, 256, (40, 60, channels), np.uint8)


def turning(**sliders):
    return FakeContext({ADJUST: Adjustments(**sliders).model_dump_json()})


def test_sliders_are_turned_without_the_network(handler):
    """The reply is the photo as `adjust` makes it."""
    context = turning(exposure=0.5, warmth=-0.3)

    (reply,) = handler.handle([{"body": to_bytes(a_picture(), "png")}], context)

    expected = adjust(a_picture(), Adjustments(exposure=0.5, warmth=-0.3))
    assert np.array_equal(decode(reply, 10_000).pixels, expected)


def test_transparency_turns_with_the_picture(handler):
    """Straightened, alpha has the size of the pixels."""
    (reply,) = handler.handle([{"body": to_bytes(a_picture(4), "png")}], turning(straighten=8))

    photo = decode(reply, 10_000)
    assert photo.alpha.shape == photo.pixels.shape[:2] < (40, 60)


def test_with_all_sliders_at_zero_the_photo_is_left_alone(handler):
    """204 and no bytes: the gateway has them already."""
    context = turning()

    assert handler.handle([{"body": to_bytes(a_picture())}], context) == [b""]
    assert context.status == {0: 204}


@pytest.mark.parametrize("header", ["{}x", '{"exposure": 9}', '{"brightness": 1}'])
def test_what_are_no_adjustments_is_refused(handler, header):
    """Broken JSON, a value out of its range and an unknown slider are a 400."""
    context = FakeContext({ADJUST: header})

    (reply,) = handler.handle([{"body": to_bytes(a_picture())}], context)

    assert context.status == {0: 400}
    assert json.loads(reply)["code"] == "malformed_request"
