import json

import numpy as np
import pytest

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.contracts.headers import MODEL, STEP
from darkroom.contracts.report import ModelReply, StepRequest
from darkroom.imaging.codec import decode
from darkroom.imaging.metrics import psnr
from darkroom.imaging.tone_map import ToneMap
from handlers.tone_handler import ToneHandler
from tests.handlers.fakes import FakeContext, a_picture
from tests.photos import to_bytes


class Brightener:
    """A toner that doubles red and adds to the others, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def plan(self, asked):
        self.asked += [defects for _, defects in asked]
        grid = ToneMap.identity().grid.copy()
        grid[:, :, 0, 0] = 2
        grid[:, :, 1:, 3] = 0.1
        return [ToneMap(ToneMap.identity().curves, grid) for _ in asked]


@pytest.fixture
def handler(start, monkeypatch):
    monkeypatch.setattr(ToneHandler, "load", lambda self, _: setattr(self, "toner", Brightener()))
    started = start(ToneHandler())
    started.toner.asked.clear()
    return started


def asking(*defects, strength=1.0, enhancer=Enhancer.TONE):
    step = StepRequest(enhancer=enhancer, defects=dict.fromkeys(defects, 1.0), strength=strength)
    return FakeContext({STEP: step.model_dump_json()})


def test_the_map_is_applied_at_full_size(handler):
    """The reply has the photo's size and format, and the colours that the map gives."""
    picture = a_picture() // 2
    context = asking("low_light")

    (reply,) = handler.handle([{"body": to_bytes(picture, "png")}], context)

    mended = decode(reply, 10_000)
    assert mended.format == "png"
    assert np.abs(mended.pixels[..., 0].astype(int) - 2 * picture[..., 0]).max() <= 1
    stages = ModelReply.model_validate_json(context.replied[0, MODEL]).stages
    assert min(stages.network_ms, stages.apply_ms, stages.encode_ms) > 0


def test_only_what_the_step_names_is_asked_of_the_network(handler):
    """The step's defects reach the network; a request without a step asks for all of them."""
    body = {"body": to_bytes(a_picture())}

    handler.handle([body], asking("hazy", "glaring"))
    handler.handle([body], FakeContext())

    assert handler.toner.asked == [
        frozenset({Defect.HAZY, Defect.GLARING}),
        frozenset(MENDS[Enhancer.TONE]),
    ]


def test_asked_for_no_defect_it_leaves_the_photo_alone(handler):
    """Whatever the network says."""
    context = asking()

    (reply,) = handler.handle([{"body": to_bytes(a_picture(), "png")}], context)

    assert (reply, context.status) == (b"", {0: 204})


def test_without_strength_the_pixels_stay(handler):
    """Strength 0 is the photo as it came."""
    picture = a_picture()

    (reply,) = handler.handle([{"body": to_bytes(picture, "png")}], asking("low_light", strength=0))

    assert np.array_equal(decode(reply, 10_000).pixels, picture)


def test_strength_weakens_the_map(handler):
    """Half the strength ends between the photo and the mended one."""
    picture = a_picture() // 3
    body = {"body": to_bytes(picture, "png")}

    means = [
        decode(handler.handle([body], asking("low_light", strength=s))[0], 10_000).pixels.mean()
        for s in (0.0, 0.5, 1.0)
    ]

    assert means[0] + 3 < means[1] < means[2] - 3


def test_a_grey_photo_gets_brighter_but_no_colour(handler):
    """A map that would tint: what was stored grey is mended in light alone and stays grey."""
    grey = a_picture()[..., 0] // 2
    (reply,) = handler.handle([{"body": to_bytes(grey, "png")}], asking("low_light"))

    mended = decode(reply, 10_000)
    assert mended.grey
    assert mended.pixels.mean() > grey.mean() + 5


def test_transparency_is_not_touched(handler):
    """Alpha comes back as it went in."""
    alpha = a_picture(1)[..., :1]
    (reply,) = handler.handle(
        [{"body": to_bytes(np.concatenate([a_picture(), alpha], axis=2), "png")}], asking("hazy")
    )

    assert np.array_equal(decode(reply, 10_000).alpha, alpha[..., 0])


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (asking("rotation"), "unknown_defect"),
        (asking("nothing"), "unknown_defect"),
        (asking("low_light", enhancer=Enhancer.RESTORE), "malformed_request"),
    ],
)
def test_what_tone_does_not_mend_is_refused(handler, context, code):
    """A step for another enhancer, or with a defect that is not ours, is a 400."""
    (reply,) = handler.handle([{"body": to_bytes(a_picture())}], context)

    assert context.status == {0: 400}
    assert json.loads(reply)["code"] == code


def test_a_wrong_step_does_not_fail_its_neighbours(handler):
    """Of a batch, the photo with an impossible step is refused and the others are mended."""
    body = {"body": to_bytes(a_picture(), "png")}
    good = asking("hazy").headers[0]
    context = FakeContext(good, asking("rotation").headers[0], good)

    replies = handler.handle([body] * 3, context)

    assert context.status == {1: 400}
    assert psnr(decode(replies[0], 10_000).pixels, decode(replies[2], 10_000).pixels) > 60
