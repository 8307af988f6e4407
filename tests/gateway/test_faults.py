"""Model servers that are down, hang or answer rubbish: a coded answer in time, then good photos."""

import asyncio
from collections import Counter

import pytest

from tests.gateway.photos import a_form, a_photo
from tests.gateway.replica import (
    answers,
    cuts_the_connection,
    hangs,
    rubbish,
    stops_half_way,
    until,
)

FAULTS = {
    "status 500": (answers(500, b"Traceback (most recent call last): ..."), 503),
    "status 503": (answers(503, b'{"message": "Prediction failed"}'), 503),
    "status 507": (answers(507, b"CUDA out of memory"), 503),
    "rubbish": (rubbish("tone"), 503),
    "cut": (cuts_the_connection, 503),
    "hangs": (hangs, 504),
    "stops half way": (stops_half_way, 504),
}
PATIENT_MS = 30_000  # where the answer does not depend on time; busy machines are slow
HANG_S = 40.0  # over that, under the minute for which a model server hangs here


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("model", ["defects", "tone"])
@pytest.mark.parametrize("path", ["/enhance_image", "/fix_defect?defect_to_fix=hazy"])
async def test_fault_is_answered_in_time_and_forgotten(gateway, replica, fault, model, path):
    """503 or 504 as a problem document without a traceback; the next good photo gets 200."""
    behaviour, status = FAULTS[fault]
    if model == "defects" and path != "/enhance_image":
        path = "/diagnose"
    client = await gateway(budget_ms=PATIENT_MS)
    replica.behaviours[model] = behaviour

    options = {"budget_ms": "300"} if status == 504 else {}
    async with asyncio.timeout(HANG_S), client.post(path, params=options, data=a_photo()) as reply:
        problem = await reply.json()
    assert (reply.status, problem["status"]) == (status, status)
    assert problem["code"] == {503: "replica_unavailable", 504: "out_of_time"}[status]
    assert "Traceback" not in problem["detail"]

    replica.behaviours.clear()
    async with client.post(path, data=a_photo()) as reply:
        assert reply.status == 200


async def test_model_server_that_is_down(gateway):
    """Nobody listens there: 503 at once."""
    client = await gateway(defects_url="http://127.0.0.1:1", budget_ms=5000)

    async with asyncio.timeout(HANG_S), client.post("/diagnose", data=a_photo()) as reply:
        assert reply.status == 503


async def test_photo_that_waits_past_its_deadline_is_never_sent(gateway, replica):
    """With 50 ms and a replica that is busy: 504, and the model server never hears of it."""
    client = await gateway(replica_depth=1, budget_ms=PATIENT_MS)
    replica.behaviours["defects"] = hangs
    busy = asyncio.create_task(client.post("/diagnose", data=a_photo()))
    await until(lambda: bool(replica.seen))

    refused = client.post("/diagnose?budget_ms=50", data=a_photo())
    async with asyncio.timeout(HANG_S), refused as reply:
        assert (reply.status, (await reply.json())["code"]) == (504, "out_of_time")

    busy.cancel()
    await until(lambda: bool(replica.cancelled))
    assert len(replica.seen) == 1


async def test_thirty_good_and_bad_requests_at_once(gateway):
    """Each gets its own answer; the bad ones cost the good ones nothing."""
    client = await gateway(max_bytes=20_000, budget_ms=20_000)

    async def status_of(data):
        async with client.post("/enhance_image", data=data) as reply:
            await reply.read()
            return reply.status

    sent = [
        a_photo(),
        a_form(image=a_photo("PNG")),
        b"not a picture",
        a_photo()[:20],
        a_form(photo=a_photo()),
        bytes(20_001),
    ] * 5
    sent[1::6] = [a_form(image=a_photo("PNG")) for _ in range(5)]  # a form is sent only once
    sent[4::6] = [a_form(photo=a_photo()) for _ in range(5)]

    statuses = await asyncio.gather(*(status_of(data) for data in sent))

    assert Counter(statuses) == {200: 10, 415: 5, 422: 5, 400: 5, 413: 5}
    assert statuses == [200, 200, 415, 422, 400, 413] * 5


async def test_unexpected_error_is_logged_and_answered(client, monkeypatch, caplog):
    """Our own mistakes: a 500 without detail for the client, a traceback with its id for us."""

    def fails(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("gateway.routes.photo_response", fails)
    asked = {"X-Request-ID": "find-me"}
    async with client.post("/enhance_image", data=a_photo(), headers=asked) as reply:
        problem = await reply.json()

    assert (reply.status, problem["code"]) == (500, "internal")
    assert "secret" not in await reply.text()
    assert "find-me" in caplog.text
    assert "ZeroDivisionError" in caplog.text
