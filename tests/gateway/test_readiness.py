"""`GET /readyz`: a real prediction through every model server."""

import asyncio

from darkroom.imaging.header import Format, read_header
from gateway import readiness
from gateway.probes import TINY_PHOTO
from tests.gateway.photos import a_photo, brightness
from tests.gateway.replica import answers, hangs


async def test_ready_cluster_says_so(client, replica):
    """Every configured model server got the tiny photo."""
    async with client.get("/readyz") as reply:
        told = await reply.json()

    assert reply.status == 200
    assert told["ready"]
    assert told["servers"] == {"defects": "ok", "tone": "ok"}
    assert {model for model, _, _ in replica.seen} == {"defects", "tone"}


async def test_one_failing_model_server_is_named(client, replica):
    """503 keeps traffic away; the body says whom to look at."""
    replica.behaviours["tone"] = answers(503)

    async with client.get("/readyz") as reply:
        told = await reply.json()

    assert reply.status == 503
    assert told["servers"] == {"defects": "ok", "tone": "replica_unavailable"}


async def test_hanging_model_server_does_not_hang_the_probe(client, replica):
    """The probe has a time limit of its own."""
    replica.behaviours["defects"] = hangs

    async with asyncio.timeout(30), client.get("/readyz") as reply:
        assert (await reply.json())["servers"]["defects"] == "out_of_time"


async def test_probes_do_not_stampede(client, replica, monkeypatch):
    """Fifty probes at once are one prediction for each model server, and so is one just after."""
    monkeypatch.setattr(readiness, "KEPT_S", 60.0)

    async def probe():
        async with client.get("/readyz") as reply:
            return reply.status

    assert await asyncio.gather(*(probe() for _ in range(50))) == [200] * 50
    assert await probe() == 200
    assert len(replica.seen) == 2


async def test_answer_is_not_kept_for_long(client, replica, monkeypatch):
    """A cluster that breaks is found out."""
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    async with client.get("/readyz") as reply:
        assert reply.status == 200
    replica.behaviours["defects"] = answers(503)

    async with client.get("/readyz") as reply:
        assert reply.status == 503


async def test_what_photos_took_while_starting_is_forgotten(client, replica, monkeypatch):
    """Twelve at once are taken on, each of which would have been thought to take half a second."""
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)

    async def starts(request):
        await asyncio.sleep(0.8)
        return await replica._answer(request)

    replica.behaviours = {"defects": starts, "tone": answers(503)}
    async with client.get("/readyz") as reply:
        assert reply.status == 503
    replica.behaviours.clear()
    async with client.get("/readyz") as reply:
        assert reply.status == 200

    async def diagnosed():
        async with client.post("/diagnose?budget_ms=4000", data=a_photo()) as reply:
            return reply.status

    assert await asyncio.gather(*(diagnosed() for _ in range(12))) == [200] * 12


def test_tiny_photo_is_a_photo():
    """It is written by hand, so a decoder has to agree."""
    assert read_header(TINY_PHOTO).format is Format.PNG
    assert 50 < brightness(TINY_PHOTO) < 200
