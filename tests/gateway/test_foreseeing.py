"""What `tone` foresees while `restore` is at work: `gateway/foreseeing.py` in a whole gateway."""

import asyncio

import pytest

from darkroom.contracts import headers
from darkroom.contracts.report import Report, StepRequest
from tests.gateway.photos import a_photo
from tests.gateway.replica import a_diagnosis, a_tone_map, answers, hangs, rubbish, until

DARK_AND_NOISY = a_diagnosis(low_light=0.9, noisy=0.7)


@pytest.fixture
async def client(gateway, replica):
    """A gateway with all enhancers, to which every photo is dark and noisy."""
    replica.diagnosis = DARK_AND_NOISY
    urls = {"restore_url": replica.url, "straighten_url": replica.url}
    return await gateway(**urls)


async def enhance(client, photo=None, query=""):
    async with client.post(f"/enhance_image{query}", data=photo or a_photo()) as reply:
        assert reply.status == 200
        return Report.model_validate_json(reply.headers[headers.REPORT])


def maps_applied(replica):
    """What each photo that `tone` has mended came with."""
    steps = [sent[headers.STEP] for model, sent, _ in replica.seen if model == "tone"]
    return [StepRequest.model_validate_json(step).foreseen for step in steps]


async def test_tone_mends_the_restored_photo_by_the_one_diagnosed(client, replica):
    """Asked about the photo as it came, told so again beside the restored one."""
    report = await enhance(client, query="?strength=0.5")

    [(sent, payload)] = replica.foreseen
    asked = StepRequest.model_validate_json(sent[headers.STEP])
    assert (asked.enhancer, asked.defects, payload) == ("tone", {"low_light": 0.9}, a_photo())
    assert replica.seen[-1][2] != a_photo()
    assert maps_applied(replica) == [a_tone_map(a_photo())]
    assert [step.enhancer for step in report.steps] == ["restore", "tone"]


async def test_both_are_at_work_at_once(client, replica):
    """`restore` answers only once `tone` has been asked."""

    async def waits_for_tone(request):
        await until(lambda: len(replica.foreseen) == 1)
        return await replica._answer(request)

    replica.behaviours["restore"] = waits_for_tone
    report = await enhance(client)

    assert [step.enhancer for step in report.steps] == ["restore", "tone"]


async def test_photos_in_hand_at_once_each_get_their_own_map(client, replica):
    """Eight photos, eight maps, each applied to the photo that it was foreseen for."""
    photos = [a_photo("PNG", seed=seed) for seed in range(8)]
    restored: dict[bytes, bytes] = {}

    async def remembers(request):
        reply = await replica._answer(request)
        restored[reply.body] = await request.read()
        return reply

    replica.behaviours["restore"] = remembers
    await asyncio.gather(*(enhance(client, photo) for photo in photos))

    mended = [payload for model, _, payload in replica.seen if model == "tone"]
    assert maps_applied(replica) == [a_tone_map(restored[payload]) for payload in mended]
    assert len(set(maps_applied(replica))) == 8


@pytest.mark.parametrize("found", [{"low_light": 0.9}, {"low_light": 0.9, "rotation": 0.9}])
async def test_nothing_is_foreseen_without_restore(client, replica, found):
    """A photo that keeps its noise until `tone` sees it is looked at once."""
    replica.diagnosis = a_diagnosis(**found)
    await enhance(client)

    assert replica.foreseen == []
    assert maps_applied(replica) == [None]


@pytest.mark.parametrize("query", ["?steps=restore", "?steps=tone"])
async def test_nothing_is_foreseen_for_steps_not_asked_for(client, replica, query):
    """One step alone has nothing before or after it."""
    await enhance(client, query=query)

    assert replica.foreseen == []


async def test_the_map_is_good_though_restore_failed(client, replica):
    """It was made for the photo that goes on as it was."""
    replica.behaviours["restore"] = answers(503)
    report = await enhance(client)

    assert maps_applied(replica) == [a_tone_map(a_photo())]
    assert [step.enhancer for step in report.steps] == ["tone"]


@pytest.mark.parametrize("failure", [answers(503), rubbish("tone"), answers(204)])
async def test_without_foresight_tone_goes_by_the_restored_photo(client, replica, failure):
    """However it fails: the plan is carried out all the same."""
    replica.foresees = failure
    report = await enhance(client)

    assert maps_applied(replica) == [None]
    assert [step.enhancer for step in report.steps] == ["restore", "tone"]


async def test_foresight_that_hangs_leaves_the_best_so_far(client, replica):
    """The restored photo is there at the deadline, and nobody goes on waiting for a map."""
    replica.foresees = hangs
    report = await enhance(client, query="?budget_ms=1500")

    assert [step.enhancer for step in report.steps] == ["restore"]
    assert {s.enhancer.value: s.reason.value for s in report.skipped} == {"tone": "no_time"}
    await until(lambda: replica.cancelled == 1)


async def test_a_client_that_leaves_ends_the_foresight_too(client, replica):
    """What nobody waits for any more is cancelled at both model servers."""
    replica.foresees = replica.behaviours["restore"] = hangs
    asking = asyncio.create_task(enhance(client))
    await until(lambda: len(replica.foreseen) == 1 and len(replica.seen) == 2)
    asking.cancel()

    await until(lambda: replica.cancelled == 2)
