import json

import cv2
import numpy as np
import pytest
from PIL import Image

from darkroom.contracts.headers import BUDGET, COLORIZE, MODEL
from darkroom.contracts.report import ColorizeRequest, ModelReply
from darkroom.imaging.chroma import luma_of
from darkroom.imaging.codec import decode
from darkroom.weights.notes import WrongWeights
from handlers import colorize_handler
from handlers.colorize_handler import ColorizeHandler
from tests.handlers.fakes import FakeContext, a_picture
from tests.photos import to_bytes


class Painter:
    """A colorizer that paints everything orange; with little memory only small squares."""

    def __init__(self, largest_side=10_000):
        self.largest_side = largest_side
        self.calls = []

    def colorize(self, squares):
        side = squares[0].shape[0]
        self.calls.append((side, len(squares)))
        if side > self.largest_side:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        chroma = np.full((side, side, 2), (-0.1, 0.15), np.float32)
        return [chroma for _ in squares]


@pytest.fixture
def painter(monkeypatch):
    """What the handler loads in place of any network."""
    painter = Painter()
    monkeypatch.setattr(colorize_handler, "load_lite", lambda *_: painter)
    return painter


@pytest.fixture
def handler(start, painter, monkeypatch, tmp_path):
    monkeypatch.setenv("DARKROOM_WEIGHTS", str(tmp_path / "official"))
    started = start(ColorizeHandler())
    painter.calls.clear()
    return started


def asking(budget_ms=None, **options):
    told = {COLORIZE: ColorizeRequest(**options).model_dump_json()}
    return told if budget_ms is None else told | {BUDGET: str(budget_ms)}


def colorized(handler, picture, headers=None, kind="png"):
    """The reply to one photo as it is and as pixels, with what the handler says of it."""
    context = FakeContext(headers or asking())
    (reply,) = handler.handle([{"body": to_bytes(picture, kind)}], context)
    assert context.status == {}, reply
    return decode(reply, 10_000_000), ModelReply.model_validate_json(context.replied[0, MODEL])


def refused(handler, headers):
    context = FakeContext(headers)
    (reply,) = handler.handle([{"body": to_bytes(a_picture())}], context)
    return context.status[0], json.loads(reply)


def test_a_grey_photo_gets_colours_and_keeps_its_light(handler):
    """Luma comes back to within rounding, and one channel has become three."""
    grey = a_picture(width=96, height=64)[..., 0]

    photo, said = colorized(handler, grey)

    assert photo.pixels.shape == (64, 96, 3)
    assert not photo.grey
    assert np.abs(luma_of(photo.pixels).astype(int) - grey).max() <= 1
    assert (photo.pixels[..., 0] > photo.pixels[..., 2]).mean() > 0.9
    assert (said.notes["model"], said.notes["render_factor"], said.device) == ("lite", 7, "cpu")
    assert min(said.stages.network_ms, said.stages.apply_ms) > 0


@pytest.mark.parametrize(
    "picture",
    [
        np.arange(300, dtype=np.uint8)[None] % 251,  # one pixel high
        np.arange(300, dtype=np.uint8)[:, None] % 251,  # one pixel wide
        Image.fromarray(np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 40),  # 16 bits
        Image.fromarray(np.eye(32, 48, dtype=bool)),  # 1 bit
        np.array([[7]], np.uint8),
    ],
    ids=["1-high", "1-wide", "16-bit", "1-bit", "one pixel"],
)
def test_odd_scans_come_back_in_their_own_size(handler, picture):
    """Whatever a scanner makes, the answer has its size and is no error."""
    before = np.asarray(picture).shape

    photo, _ = colorized(handler, picture)

    assert photo.pixels.shape[:2] == before


@pytest.mark.parametrize("level", [0, 255])
def test_pure_black_and_white_stay(handler, painter, level):
    """With nothing to tell colours by the photo is fine as it is, and no network is asked."""
    photo, _ = colorized(handler, np.full((32, 48), level, np.uint8))

    assert (photo.pixels == level).all()
    assert painter.calls == []


def test_sepia_is_neutral_before_it_is_coloured(handler):
    """Of a toned print only the luma counts: it gets what its grey twin gets, and says so."""
    grey = np.sort(a_picture(width=96, height=64)[..., 0], axis=1)
    toned = np.clip(grey[..., None] * (1.05, 0.97, 0.8) + (14, 6, 0), 0, 255).astype(np.uint8)

    photo, said = colorized(handler, toned)
    twin, plain = colorized(handler, luma_of(toned))

    assert np.abs(photo.pixels.astype(int) - twin.pixels).max() <= 1
    assert "toned" in said.notes
    assert plain.notes.keys().isdisjoint({"toned", "recoloured"})


def test_a_coloured_photo_is_recoloured_and_says_so(handler):
    """Its own colours are gone, its light is not, and the report tells."""
    picture = a_picture(width=96, height=64)

    photo, said = colorized(handler, picture)

    assert "recoloured" in said.notes
    assert np.abs(luma_of(photo.pixels).astype(int) - luma_of(picture)).max() <= 1
    assert (photo.pixels[..., 0] >= photo.pixels[..., 2]).all()


def test_strength_blends_old_and_new_chroma(handler):
    """0 leaves a photo as it is; one half lies between it and its new colours."""
    picture = a_picture(width=96, height=64)

    none, half, full = (
        colorized(handler, picture, asking(strength=s))[0].pixels.astype(int) for s in (0, 0.5, 1)
    )

    assert np.array_equal(none, picture)
    assert np.abs(half - (none + full) / 2).mean() < 2


def test_equal_squares_go_through_the_network_together(handler, painter):
    """Of four photos three share a render factor: two calls, each with the others' answers."""
    bodies = [{"body": to_bytes(a_picture(seed), "png")} for seed in range(4)]
    given = [asking(render_factor=f).copy() for f in (9, 12, 9, 9)]
    context = FakeContext(*given)

    replies = handler.handle(bodies, context)

    assert sorted(painter.calls) == [(144, 3), (192, 1)]
    for seed, reply in enumerate(replies):
        luma = luma_of(decode(reply, 10_000).pixels).astype(int)
        assert np.abs(luma - luma_of(a_picture(seed))).max() <= 1


def test_short_of_memory_it_works_smaller_and_says_so(handler, painter):
    """Memory runs out at the asked size: the answer has colours, from a smaller square."""
    painter.largest_side = 16 * 20

    photo, said = colorized(handler, a_picture(), asking(render_factor=40))

    assert 7 <= said.notes["render_factor"] <= 20
    assert "short_of_memory" in said.notes
    assert np.ptp(photo.pixels, axis=2).mean() > 5


def test_what_does_not_fit_together_is_tried_alone(handler, painter):
    """A batch that is too much at once costs no photo its size."""
    one_by_one = painter.colorize

    def colorize(squares):
        if len(squares) > 1:
            raise MemoryError
        return one_by_one(squares)

    painter.colorize = colorize
    context = FakeContext(*[asking(render_factor=12)] * 3)

    handler.handle([{"body": to_bytes(a_picture(seed), "png")} for seed in range(3)], context)

    said = [ModelReply.model_validate_json(context.replied[i, MODEL]).notes for i in range(3)]
    assert [notes["render_factor"] for notes in said] == [12, 12, 12]
    assert not any("short_of_memory" in notes for notes in said)


def test_without_any_memory_it_is_an_error_and_never_grey(handler, painter):
    """Not even the smallest square fits: a problem document, no picture."""
    painter.largest_side = 0

    status, problem = refused(handler, asking(render_factor=40))

    assert (status, problem["code"]) == (503, "out_of_memory")


def test_less_time_means_a_smaller_square(handler):
    """By itself it takes what fits: much time the preferred size, little the smallest."""
    picture = cv2.resize(a_picture(), (400, 300))
    handler.renderings.learn(handler.renderings.choose(None, 16, (), (400, 300), None), 1, 2000)

    factors = [
        colorized(handler, picture, asking(budget))[1].notes["render_factor"]
        for budget in (30_000, 200)
    ]

    assert factors[0] == 16
    assert 7 <= factors[1] <= 10


def test_a_model_that_was_not_fetched_is_named(handler):
    """503 with the command that gets its weights."""
    status, problem = refused(handler, asking(model="stable"))

    assert (status, problem["code"]) == (503, "model_missing")
    assert "darkroom weights fetch stable" in problem["detail"]


def test_damaged_weights_are_told_from_missing_ones(handler):
    """A file that is no network's: the same code, another sentence, and `lite` still answers."""
    handler.folder.mkdir()
    (handler.folder / "stable.safetensors").write_bytes(b"cut off")

    status, problem = refused(handler, asking(model="stable"))

    assert (status, problem["code"]) == (503, "model_missing")
    assert "damaged" in problem["detail"]
    assert colorized(handler, a_picture())[1].notes["model"] == "lite"


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [("std::bad_alloc", 503, "out_of_memory"), ("shapes do not match", 503, "model_missing")],
)
def test_weights_for_which_there_is_no_memory_are_not_called_damaged(
    handler, monkeypatch, words, status, code
):
    """The same file may load when less is going on: nobody is told to fetch it again."""

    def load(*_):
        raise RuntimeError(words)

    monkeypatch.setattr(colorize_handler, "load_official", load)
    handler.folder.mkdir()
    (handler.folder / "stable.safetensors").touch()

    told, problem = refused(handler, asking(model="stable"))

    assert (told, problem["code"]) == (status, code)


def test_a_network_that_fails_is_no_want_of_memory(handler, painter, monkeypatch):
    """It is told as our own fault at once, not tried on smaller squares."""
    sides = []

    def fail(squares):
        sides.append(squares[0].shape[0])
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(painter, "colorize", fail)

    told, problem = refused(handler, asking())

    assert (told, problem["code"]) == (500, "internal")
    assert len(sides) == 1


def test_with_time_the_best_model_there_is_taken(handler, monkeypatch):
    """Fetched weights are found without a restart; in a short budget `lite` answers."""
    better = Painter()
    monkeypatch.setattr(colorize_handler, "load_official", lambda *_: better)
    handler.folder.mkdir()
    (handler.folder / "artistic.safetensors").touch()

    models = [
        colorized(handler, a_picture(), asking(budget))[1].notes["model"]
        for budget in (30_000, 150)
    ]

    assert models == ["artistic", "lite"]
    assert len(better.calls) == 1


@pytest.mark.parametrize("header", ["nonsense", '{"render_factor": 46}', '{"model": "video"}'])
def test_what_is_no_colorization_is_refused(handler, header):
    """A header of another shape, a factor out of range, an unknown model: 400."""
    status, problem = refused(handler, {COLORIZE: header})

    assert (status, problem["code"]) == (400, "malformed_request")


def test_weights_of_another_network_stop_the_start(start):
    """An archive whose weights are no colorizer's is refused as it is loaded."""
    with pytest.raises(WrongWeights):
        start(ColorizeHandler())
