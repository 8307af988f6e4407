import json

import numpy as np
import pytest

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.contracts.headers import MODEL, STEP
from darkroom.contracts.report import Foresight, ModelReply, StepRequest
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


def asking(*defects, enhancer=Enhancer.TONE, **more):
    step = StepRequest(enhancer=enhancer, defects=dict.fromkeys(defects, 1.0), **more)
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


def foreseen(handler, payload, *defects):
    (reply,) = handler.handle([{"body": payload}], asking(*defects, foresee=True))
    return Foresight.model_validate_json(reply).tone_map


def test_what_is_foreseen_of_one_photo_mends_another(handler):
    """Its map comes back alone, and is applied to whatever photo the next step brings it with."""
    noisy, restored = a_picture() // 2, a_picture() // 3
    tone_map = foreseen(handler, to_bytes(noisy, "png"), "low_light")
    handler.toner.asked.clear()
    context = asking("low_light", foreseen=tone_map)

    (reply,) = handler.handle([{"body": to_bytes(restored, "png")}], context)

    red = decode(reply, 10_000).pixels[..., 0].astype(int)
    assert np.abs(red - 2 * restored[..., 0]).max() <= 1
    assert handler.toner.asked == []  # the restored photo was not looked at
    assert ModelReply.model_validate_json(context.replied[0, MODEL]).notes == {"map": "foreseen"}


def test_a_foresight_is_no_photo(handler):
    """JSON, which nobody could take for the mended photo."""
    context = asking("low_light", foresee=True)
    handler.handle([{"body": to_bytes(a_picture())}], context)

    assert context.media_type == {0: "application/json"}
    assert "map" not in ModelReply.model_validate_json(context.replied[0, MODEL]).notes


def test_strength_weakens_what_was_foreseen(handler):
    """Strength 0 is the photo as it came, whatever was foreseen at full strength."""
    picture = a_picture()
    tone_map = foreseen(handler, to_bytes(picture, "png"), "low_light")
    context = asking("low_light", foreseen=tone_map, strength=0)

    (reply,) = handler.handle([{"body": to_bytes(picture, "png")}], context)

    assert np.array_equal(decode(reply, 10_000).pixels, picture)


@pytest.mark.parametrize("rubbish", ["", "AAAA", "not base64!", "A" * 6004])
def test_a_foreseen_map_that_is_none_is_refused_alone(handler, rubbish):
    """Broken or cut off on the way: a 400 that says so, and its neighbour is mended."""
    body = {"body": to_bytes(a_picture(), "png")}
    good = asking("low_light").headers[0]
    step = {"enhancer": "tone", "defects": {"low_light": 1}, "foreseen": rubbish}
    context = FakeContext(good, {STEP: json.dumps(step)})

    replies = handler.handle([body, body], context)

    assert context.status == {1: 400}
    assert json.loads(replies[1])["code"] == "malformed_request"
    assert decode(replies[0], 10_000).pixels.mean() > a_picture().mean() + 5


def test_one_batch_may_hold_them_all(handler):
    """To foresee, to apply what was foreseen, to look and mend: each slot gets its own answer."""
    payload = to_bytes(a_picture() // 3, "png")
    tone_map = foreseen(handler, payload, "low_light")
    asked = [{}, {"foresee": True}, {"foreseen": tone_map}]
    context = FakeContext(*(asking("low_light", **more).headers[0] for more in asked))

    looked, seen, applied = handler.handle([{"body": payload}] * 3, context)

    assert Foresight.model_validate_json(seen).tone_map == tone_map
    assert psnr(decode(looked, 10_000).pixels, decode(applied, 10_000).pixels) > 50


def test_a_step_with_its_map_fits_the_headers_that_model_servers_read(handler):
    """Netty takes 8192 bytes for all of them."""
    tone_map = foreseen(handler, to_bytes(a_picture()), *MENDS[Enhancer.TONE])

    step = asking(*MENDS[Enhancer.TONE], foreseen=tone_map, judge=True).headers[0][STEP]

    assert len(step) < 5000
    assert step.isascii()
