"""The contract of a handler with any model server; TorchServe's own is in test_torchserve."""

import gc
import json
import logging
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.errors import MalformedRequest
from darkroom.contracts.headers import BUDGET, MODEL, REQUEST_ID, STEP
from darkroom.contracts.problem import MEDIA_TYPE, Problem
from darkroom.contracts.report import ModelReply, StepRequest
from darkroom.imaging.codec import decode
from darkroom.imaging.metrics import psnr
from handlers.base import RefusedArchive
from handlers.overlapping import THREADS_VARIABLE
from tests.handlers.fakes import FakeContext, FakeHandler, a_body, a_picture
from tests.photos import to_bytes


@pytest.mark.parametrize("threads", ["1", "3"])
def test_one_poisoned_photo_fails_alone(start, monkeypatch, threads):
    """15 good and 1 bad in one batch: 15 photos and one 422 in its own slot, in order."""
    monkeypatch.setenv(THREADS_VARIABLE, threads)
    batch = [a_body(seed) for seed in range(16)]
    batch[7] = {"body": bytearray(batch[7]["body"][:300])}
    context = FakeContext()

    replies = start().handle(batch, context)

    assert context.status == {7: 422}
    assert json.loads(replies[7])["code"] == "unreadable_photo"
    for seed in {*range(16)} - {7}:
        assert psnr(decode(replies[seed], 10_000).pixels, a_picture(seed)) > 30


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"body": b"not a picture"}, 415, "unsupported_photo"),
        ({"body": bytearray()}, 415, "unsupported_photo"),
        ({"body": {"parsed": "JSON"}}, 415, "unsupported_photo"),
        ({"image": b"under another name"}, 415, "unsupported_photo"),
        ({}, 415, "unsupported_photo"),
    ],
)
def test_what_is_no_photo_is_answered_with_a_problem(start, body, status, code):
    """Whatever a server hands on as a body, the reply is a problem document with its status."""
    context = FakeContext({REQUEST_ID.lower(): "r-1"})

    (reply,) = start().handle([body], context)

    assert context.status == {0: status}
    assert context.media_type == {0: MEDIA_TYPE}
    problem = Problem.model_validate_json(reply)
    assert (problem.code, problem.request_id) == (code, "r-1")


def test_a_photo_has_no_more_pixels_than_are_told(start, monkeypatch):
    """The limit is the gateway's own setting."""
    handler, context = start(), FakeContext()
    monkeypatch.setenv("DARKROOM_MAX_PIXELS", "1")

    (reply,) = handler.handle([a_body()], context)

    assert json.loads(reply)["code"] == "too_many_pixels"


def test_no_requests_no_replies(start):
    """An empty batch reaches no network."""
    handler = start()

    assert handler.handle([], FakeContext()) == []
    assert handler.calls == []


def test_the_batch_is_one_call(start):
    """All good slots of a batch go to the network together."""
    handler = start()

    handler.handle([a_body(1), {"body": b"?"}, a_body(2)], FakeContext())

    assert handler.calls == [2]


def test_with_threads_a_batch_reaches_the_network_in_groups(start, monkeypatch):
    """Asked by the thread that was called; a photo that cannot be read is in none of them."""
    monkeypatch.setenv(THREADS_VARIABLE, "2")
    handler = start()

    handler.handle([a_body(1), {"body": b"?"}, a_body(2), a_body(3), a_body(4)], FakeContext())

    assert handler.calls == [1, 2, 1]


def test_a_photo_alone_needs_no_other_thread(start, monkeypatch):
    """However many there may be: nothing is handed over and waited for."""
    monkeypatch.setenv(THREADS_VARIABLE, "4")
    seen_in = set()

    def look(slot):
        seen_in.add(threading.current_thread())
        return slot.photo

    start(FakeHandler(look)).handle([a_body()], FakeContext())

    assert seen_in == {threading.current_thread()}


def test_a_network_that_fails_for_a_group_is_asked_for_each_photo(start, monkeypatch):
    """With threads as without: the group's photos go one by one, the others do not notice."""
    monkeypatch.setenv(THREADS_VARIABLE, "2")
    handler = start()
    calls = []

    def find(slots, seen):
        calls.append([slot.index for slot in slots])
        if 2 in calls[-1]:
            raise MalformedRequest
        return seen

    handler.find = find
    context = FakeContext()

    assert all(handler.handle([a_body(seed) for seed in range(6)], context))
    assert calls == [[0, 1], [2, 3], [2], [3], [4, 5]]
    assert context.status == {2: 400}


def test_a_finished_photo_is_let_go(start):
    """Its pixels are not kept until the last one of its batch is done."""
    handler = start()
    earlier, kept = [], []

    def look(slot):
        kept.append(any(hasattr(each, "photo") for each in earlier))
        earlier.append(slot)
        return replace(slot.photo)

    handler.work = look

    handler.handle([a_body()] * 3, FakeContext())

    assert kept == [False] * 3


def test_an_unexpected_failure_is_internal_for_its_slot_alone(start, caplog):
    """The client reads `internal` and no detail; the log has the request's id and the cause."""

    def fail_one(slot):
        if slot.request_id == "bad":
            raise ZeroDivisionError("/secret/path")
        return replace(slot.photo)

    context = FakeContext({}, {REQUEST_ID: "bad"}, {})

    with caplog.at_level(logging.ERROR):
        replies = start(FakeHandler(fail_one)).handle([a_body()] * 3, context)

    assert len(replies) == 3
    assert context.status == {1: 500}
    assert json.loads(replies[1])["code"] == "internal"
    assert b"secret" not in replies[1]
    assert "bad" in caplog.text
    assert "/secret/path" in caplog.text


def test_an_answer_that_cannot_be_encoded_fails_its_slot_alone(start):
    """What a network answers in the wrong type is our mistake: internal, and no exception."""
    context = FakeContext({REQUEST_ID: "odd"}, {})

    handler = start(FakeHandler(lambda slot: "?" if slot.request_id else replace(slot.photo)))

    assert len(handler.handle([a_body()] * 2, context)) == 2
    assert context.status == {0: 500}


def test_too_few_answers_fail_the_photos_not_the_server(start):
    """A network that loses an answer: each photo is tried alone, then refused as internal."""
    handler = start()
    handler.find = lambda *_: []
    context = FakeContext()

    assert len(handler.handle([a_body()] * 2, context)) == 2
    assert context.status == {0: 500, 1: 500}


def test_a_spent_budget_costs_no_work(start):
    """A photo whose time is over is answered 504 without being decoded, its neighbour normally."""
    handler = start()
    context = FakeContext({BUDGET: "0"}, {BUDGET: "60000"})

    replies = handler.handle([{"body": b"not even a picture"}, a_body()], context)

    assert context.status == {0: 504}
    assert json.loads(replies[0])["code"] == "out_of_time"
    assert handler.calls == [1]


def test_time_spent_on_decoding_counts(start):
    """A budget that ends while the photo is decoded spares the network."""
    handler = start()
    context = FakeContext({BUDGET: "0.001"})

    handler.handle([a_body()], context)

    assert context.status == {0: 504}
    assert handler.calls == []


def test_time_spent_on_others_counts(start, monkeypatch):
    """A budget that ends while the batch's other photos are decoded spares the network."""
    now = [0.0]
    clock = SimpleNamespace(**vars(time) | {"monotonic": lambda: now[0]})
    monkeypatch.setattr("handlers.slot.time", clock)
    handler = start()

    def look(slot):
        now[0] += slot.index  # seconds

    handler.look = look
    context = FakeContext({BUDGET: "500"}, {BUDGET: "2000"})

    handler.handle([a_body()] * 2, context)

    assert context.status == {0: 504}
    assert handler.calls == [1]


@pytest.mark.parametrize(
    "headers",
    [{BUDGET: "soon"}, {STEP: "tone"}, {STEP: '{"enhancer":"none"}'}],
)
def test_a_malformed_header_is_a_malformed_request(start, headers):
    """Headers of another shape than the contract's are refused, never guessed."""
    context = FakeContext(headers)

    (reply,) = start().handle([a_body()], context)

    assert context.status == {0: 400}
    assert json.loads(reply)["code"] == "malformed_request"


def test_a_budget_that_is_no_time_is_not_endless(start):
    """`nan` compares with nothing: it must not count as time left."""
    context = FakeContext({BUDGET: "nan"})

    start().handle([a_body()], context)

    assert context.status == {0: 504}


def test_headers_are_found_whatever_their_case(start):
    """HTTP's header names have no case; a form field of another type among them does no harm."""
    context = FakeContext({BUDGET.upper(): "0", "body": {"content-type": "image/jpeg"}})

    start().handle([a_body()], context)

    assert context.status == {0: 504}


def test_a_refused_photo_is_forgotten_at_once(start):
    """No reference cycle keeps a bad request's bytes: they are many megabytes each."""
    handler = start()
    gc.disable()
    try:
        kept = len(gc.get_objects())
        for _ in range(50):
            handler.handle([{"body": bytearray(to_bytes(a_picture())[:300])}], FakeContext())
        assert len(gc.get_objects()) - kept < 50
    finally:
        gc.enable()


def test_a_ready_handler_looks_for_garbage_again(start):
    """A worker starts with the collector at rest; no longer than until it is ready."""
    gc.disable()
    try:
        start()
        assert gc.isenabled()
    finally:
        gc.enable()


def test_a_reply_says_who_made_it_and_how_long_it_took(start, archive):
    """The header names model, version, weights and device, and times the stages."""
    context = FakeContext()

    start().handle([a_body()], context)

    reply = ModelReply.model_validate_json(context.replied[0, MODEL])
    digest = archive.model_yaml_config["handler"]["sha256"][archive.weights.name]
    assert (reply.model, reply.version, reply.device) == ("fake", "1.0", "cpu")
    assert reply.weights_sha256 == digest[:12]
    assert reply.stages.decode_ms > 0
    assert reply.stages.encode_ms > 0
    assert reply.took_ms > reply.stages.total_ms
    assert context.media_type == {0: "image/jpeg"}


def test_a_gpu_is_named_as_the_server_gave_it(start, archive):
    """The server's number of a GPU becomes the device of the network."""
    archive.system_properties["gpu_id"] = 1

    assert start().device == "cuda:1"


def test_a_required_gpu_that_is_missing_stops_the_start(archive, monkeypatch):
    """The server does not come up on a processor where a GPU was required."""
    monkeypatch.setenv("DARKROOM_REQUIRE_GPU", "1")

    with pytest.raises(RefusedArchive, match="GPU"):
        FakeHandler().initialize(archive)


def test_real_photos_pass_before_the_server_is_ready(archive):
    """Warming up sends a tiny photo and one of more than a megapixel through the whole road."""
    seen = []

    def look(slot):
        seen.append(slot.photo.pixels.size // 3)
        return slot.photo

    FakeHandler(look).initialize(archive)

    assert min(seen) < 10_000
    assert max(seen) > 1_000_000


def test_a_network_that_fails_while_warming_up_never_gets_ready(archive):
    """A server that cannot answer must not say that it can."""

    def fail(_):
        raise ArithmeticError

    with pytest.raises(RefusedArchive, match="500"):
        FakeHandler(fail).initialize(archive)


def test_weights_changed_by_one_byte_are_refused(archive):
    """The archive's own record decides, before the network is loaded."""
    archive.weights.write_bytes(b"weights?")
    handler = FakeHandler()

    with pytest.raises(RefusedArchive, match="not the file"):
        handler.initialize(archive)

    assert not handler.loaded


def test_missing_weights_are_refused(archive):
    archive.weights.unlink()

    with pytest.raises(RefusedArchive, match="missing"):
        FakeHandler().initialize(archive)


def test_a_photo_left_alone_is_answered_with_204(start):
    """No bytes travel back; who looked at it, what was seen and how long it took do."""

    def leave(slot):
        slot.note("angle_degrees", 0.123456)
        return slot.photo

    context = FakeContext()

    (reply,) = start(FakeHandler(leave)).handle([a_body()], context)

    assert (reply, context.status) == (b"", {0: 204})
    told = ModelReply.model_validate_json(context.replied[0, MODEL])
    assert told.notes == {"angle_degrees": 0.1235}
    assert told.stages.decode_ms > 0


def test_a_result_is_judged_where_the_request_asks_for_it(start):
    """The judge sees the result, not what came in; unasked it sees nothing."""
    handler = start(FakeHandler(lambda slot: replace(slot.photo, pixels=slot.photo.pixels * 0)))
    handler.judge = SimpleNamespace(
        severities=lambda photo: dict.fromkeys(Defect, float(photo.pixels.max() == 0))
    )
    step = StepRequest(enhancer=Enhancer.TONE, defects={}, judge=True)
    context = FakeContext({STEP: step.model_dump_json()}, {})

    handler.handle([a_body()] * 2, context)

    judged, unasked = (
        ModelReply.model_validate_json(context.replied[slot, MODEL]).severities for slot in (0, 1)
    )
    assert judged == dict.fromkeys(Defect, 1.0)
    assert unasked is None
