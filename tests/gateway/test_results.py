"""Equal requests through the whole gateway: `gateway/results.py`."""

import asyncio

import pytest

from darkroom.contracts import headers
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.plan import SkippedStep, SkipReason
from darkroom.contracts.report import ColorizeReport, Report, StepReport
from gateway.results import is_final
from tests.gateway.photos import a_photo
from tests.gateway.replica import Held, a_diagnosis, a_model_reply, answers, hangs, until


@pytest.fixture
async def client(gateway):
    """A gateway that keeps results for a minute, with models that have introduced themselves."""
    client = await gateway(cache_ttl_s=60)
    async with client.post("/enhance_image", data=a_photo(seed=99)) as reply:
        assert reply.status == 200
    return client


async def enhance(client, photo=None, query="", **kwargs):
    async with client.post(f"/enhance_image{query}", data=photo or a_photo(), **kwargs) as reply:
        return reply.headers.get(headers.CACHE), reply.status, await reply.read(), reply


async def test_second_equal_request_is_answered_from_memory(client, replica):
    """The same photo, type and story; request id and times are its own."""
    _, _, first, _ = await enhance(client)
    replica.seen.clear()
    word, status, second, reply = await enhance(client, headers={"X-Request-ID": "again"})
    report = Report.model_validate_json(reply.headers[headers.REPORT])

    assert (word, status, second) == ("hit", 200, first)
    assert reply.content_type == "image/jpeg"
    assert report.request_id == "again"
    assert [step.enhancer for step in report.steps] == ["tone"]
    assert replica.seen == []


async def test_nothing_to_mend_is_remembered_too(client, replica):
    """204 without asking anybody."""
    replica.diagnosis = a_diagnosis()
    assert (await enhance(client))[:2] == ("miss", 204)
    assert (await enhance(client))[:2] == ("hit", 204)


async def test_other_options_or_bytes_are_another_request(client):
    """Strength, route and a single byte of the photo matter; the time it may take does not."""
    await enhance(client)

    assert (await enhance(client, query="?strength=0.5"))[0] == "miss"
    assert (await enhance(client, a_photo() + b"\0"))[0] == "miss"
    assert (await enhance(client, query="?budget_ms=15000"))[0] == "hit"
    async with client.post("/fix_defect?defect_to_fix=low_light", data=a_photo()) as reply:
        assert reply.headers[headers.CACHE] == "miss"


async def test_client_may_ask_not_to_be_remembered(client):
    """`Cache-Control: no-store`: neither read nor kept."""
    await enhance(client)
    word, *_ = await enhance(client, headers={"Cache-Control": "no-store"})

    assert word == "off"


async def test_results_for_want_of_a_replica_are_not_kept(client, replica, gateway):
    """The same request gets all of it at a better moment."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.9)
    client = await gateway(cache_ttl_s=60, restore_url=replica.url)
    await enhance(client, a_photo(seed=98))
    replica.behaviours["restore"] = answers(503)
    assert (await enhance(client))[:2] == ("miss", 200)
    replica.behaviours.clear()

    assert (await enhance(client))[0] == "miss"
    assert (await enhance(client))[0] == "hit"


@pytest.mark.parametrize("note", ["working_px", "short_of_memory"])
async def test_results_at_a_smaller_size_are_not_kept(client, replica, note):
    """Whoever has more time, or finds the service less busy, gets all of it."""
    replica.notes = {note: 640.0}
    assert (await enhance(client))[:2] == ("miss", 200)
    replica.notes = {"angle": 1.0}

    assert (await enhance(client))[0] == "miss"
    assert (await enhance(client))[0] == "hit"


async def test_results_without_foresight_are_not_kept(replica, gateway):
    """Where `tone` was too busy to foresee, an equal request may get a better answer."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.9)
    client = await gateway(cache_ttl_s=60, restore_url=replica.url)
    await enhance(client, a_photo(seed=98))
    replica.foresees = answers(503)
    assert (await enhance(client))[:2] == ("miss", 200)
    replica.foresees = None

    assert (await enhance(client))[0] == "miss"
    assert (await enhance(client))[0] == "hit"


def test_every_part_of_a_report_counts():
    """Left out, undone at a smaller size, coloured at one: none is the last word."""
    reduced = a_model_reply(notes={"working_px": 640.0})
    undone = StepReport(enhancer=Enhancer.RESTORE, defects=(), ms=1, by=reduced)
    skipped = {
        reason: a_report(skipped=(SkippedStep(enhancer="tone", defects=(), reason=reason),))
        for reason in SkipReason
    }

    assert is_final(a_report())
    assert not is_final(a_report(undone=(undone,)))
    assert not is_final(a_report(colorized=ColorizeReport(ms=1, by=reduced)))
    assert {reason for reason, report in skipped.items() if not is_final(report)} == {
        SkipReason.NO_TIME,
        SkipReason.OVER_CAPACITY,
        SkipReason.REPLICA_FAILED,
    }


def a_report(**parts):
    return Report(request_id="", total_ms=1, budget_ms=1000, **parts)


async def test_equal_requests_at_once_are_one_run(client, replica):
    """Twenty ask, one photo is mended, all get it."""
    replica.seen.clear()
    replies = await asyncio.gather(*(enhance(client) for _ in range(20)))

    assert sorted(word for word, *_ in replies) == ["miss"] + ["shared"] * 19
    assert len({body for _, _, body, _ in replies}) == 1
    assert [model for model, *_ in replica.seen] == ["defects", "tone"]


async def until_in_hand(client, photos):
    """Wait until the gateway is at work on so many photos."""
    async with asyncio.timeout(60):
        while True:
            async with client.get("/metrics") as reply:
                if f"darkroom_photos_in_flight {photos:.1f}" in (await reply.text()).splitlines():
                    return


async def test_leaving_client_does_not_end_what_another_waits_for(client, replica):
    """One of two hangs up: the other gets the photo that they both asked for."""
    held = replica.behaviours["defects"] = Held(replica)
    replica.seen.clear()
    leaves, stays = (asyncio.create_task(enhance(client)) for _ in range(2))
    await until_in_hand(client, 2)
    leaves.cancel()
    await until_in_hand(client, 1)
    held.go_on()

    assert (await stays)[1] == 200
    assert [model for model, *_ in replica.seen] == ["defects", "tone"]


async def test_work_ends_when_the_last_client_leaves(client, replica):
    """Both of two hang up: the model server sees that nobody waits any more."""
    replica.behaviours["defects"] = hangs
    replica.seen.clear()
    leaving = [asyncio.create_task(enhance(client)) for _ in range(2)]
    await until_in_hand(client, 2)
    for task in leaving:
        task.cancel()

    await until(lambda: replica.cancelled == 1)
    assert len(replica.seen) == 1
