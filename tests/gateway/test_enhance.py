"""`POST /enhance_image` and `/fix_defect`: the road of one photo through `gateway/enhancing.py`."""

import asyncio
import json

import pytest

from darkroom.contracts import headers
from darkroom.contracts.report import Report, StepRequest
from tests.gateway.conftest import PATIENT_MS
from tests.gateway.photos import a_form, a_photo, brightness
from tests.gateway.replica import Held, a_diagnosis, a_model_reply, answers, hangs, rubbish, until


def report_of(reply):
    return Report.model_validate_json(reply.headers[headers.REPORT])


def skipped(reply):
    return {step.enhancer.value: step.reason.value for step in report_of(reply).skipped}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_photo_comes_back_mended_in_its_own_format(client, file_format):
    """The dark photo is brighter, and still of the media type it had."""
    photo = a_photo(file_format)

    async with client.post("/enhance_image", data=photo) as reply:
        mended = await reply.read()

    assert reply.status == 200
    assert reply.content_type == f"image/{file_format.lower()}"
    assert brightness(mended) > brightness(photo) + 30


async def test_report_tells_the_whole_story(client):
    """Diagnosis, steps with times and models, the budget: as the contract has it."""
    asked_id = {headers.REQUEST_ID: "order-66"}
    async with client.post("/enhance_image", data=a_photo(), headers=asked_id) as reply:
        report = report_of(reply)

    assert report.request_id == "order-66"
    assert report.diagnosis is not None
    assert report.diagnosis.found == ("low_light",)
    assert report.diagnosed_by is not None
    assert report.diagnosed_by.model == "defects"
    assert [(step.enhancer, step.defects) for step in report.steps] == [("tone", ("low_light",))]
    assert report.steps[0].by.stages.total_ms == 3
    assert 0 < report.steps[0].ms < report.total_ms < report.budget_ms == PATIENT_MS


async def test_report_fits_where_headers_are_read(client):
    """Far below the 8190 bytes that common servers and clients take, and ASCII on one line."""
    async with client.post("/enhance_image", data=a_photo()) as reply:
        text = reply.headers[headers.REPORT]

    assert len(text) < 4000
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)


async def test_server_timing_names_every_hop(client):
    """Browsers show it in their network panel."""
    async with client.post("/enhance_image", data=a_photo()) as reply:
        names = [part.split(";")[0] for part in reply.headers["Server-Timing"].split(", ")]

    assert names == ["defects", "tone", "total"]


async def test_good_photo_is_answered_with_204(client, replica):
    """Nothing found: no enhancer is called, and the report says what was looked at."""
    replica.diagnosis = a_diagnosis()

    async with client.post("/enhance_image", data=a_photo()) as reply:
        body = await reply.read()

    assert (reply.status, body) == (204, b"")
    assert report_of(reply).steps == ()
    assert [model for model, _, _ in replica.seen] == ["defects"]


async def test_enhancer_learns_severities_strength_and_time(client, replica):
    """One hop carries all the defects of `tone`, what was diagnosed and what time is left."""
    replica.diagnosis = a_diagnosis(low_light=0.9, hazy=0.6, noisy=0.7)

    async with client.post("/enhance_image?strength=0.5&budget_ms=8000", data=a_photo()) as reply:
        assert reply.status == 200

    model, sent, payload = replica.seen[-1]
    asked = StepRequest.model_validate_json(sent[headers.STEP])
    assert (model, asked.enhancer, asked.strength) == ("tone", "tone", 0.5)
    assert asked.defects == {"low_light": 0.9, "hazy": 0.6}
    assert payload == a_photo()
    assert 0 < int(sent[headers.BUDGET]) < 8000
    assert sent["Content-Type"] == "application/octet-stream"
    assert sent[headers.REQUEST_ID] == reply.headers[headers.REQUEST_ID]


async def test_second_enhancer_gets_the_first_ones_photo(gateway, replica):
    """Restore, then tone: 60 grey levels each."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.7)
    client = await gateway(restore_url=replica.url)

    async with client.post("/enhance_image", data=a_photo("PNG")) as reply:
        mended = await reply.read()

    assert [model for model, _, _ in replica.seen] == ["defects", "restore", "tone"]
    assert replica.seen[2][2] != a_photo("PNG")
    assert brightness(mended) == pytest.approx(brightness(a_photo("PNG")) + 120, abs=2)


async def test_steps_that_nobody_can_do_are_named(client, replica):
    """A cluster without `restore` answers 204 and says why the noise stays."""
    replica.diagnosis = a_diagnosis(noisy=0.9)

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 204
    assert skipped(reply) == {"restore": "not_in_cluster"}


async def test_steps_not_asked_for_are_left_out(client):
    """`steps` in a form field, as in the query."""
    asked = {"image": a_photo(), "steps": "restore, straighten"}
    async with client.post("/enhance_image", data=a_form(**asked)) as reply:
        assert reply.status == 204
    assert skipped(reply) == {"tone": "not_asked"}


async def test_best_result_so_far_when_time_runs_out(gateway, replica):
    """Restore is done, tone hangs: the restored photo is there at the deadline."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.7)
    replica.behaviours["tone"] = hangs
    client = await gateway(restore_url=replica.url, budget_ms=1500)

    async with asyncio.timeout(30), client.post("/enhance_image", data=a_photo()) as reply:
        mended = await reply.read()

    assert reply.status == 200
    assert brightness(mended) > brightness(a_photo()) + 30
    assert skipped(reply) == {"tone": "no_time"}


async def test_best_result_so_far_when_an_enhancer_fails(gateway, replica):
    """Restore fails, tone mends what it can."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.7)
    replica.behaviours["restore"] = answers(503, b"Prediction failed")
    client = await gateway(restore_url=replica.url)

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 200
    assert skipped(reply) == {"restore": "replica_failed"}


async def test_out_of_time_before_anything_is_mended(gateway, replica):
    """504, and the model server sees that nobody waits any more."""
    replica.behaviours["tone"] = hangs
    client = await gateway(budget_ms=1000)

    async with asyncio.timeout(30), client.post("/enhance_image", data=a_photo()) as reply:
        problem = await reply.json()

    assert (reply.status, problem["code"]) == (504, "out_of_time")
    await until(lambda: replica.cancelled == 1)


async def test_step_too_dear_for_the_time_left_is_not_tried(client, replica):
    """Its last photo took hours a megapixel: this one gets 504 at once instead of a late try."""
    replica.network_ms = 50_000_000
    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 200

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 504
    assert [model for model, _, _ in replica.seen].count("tone") == 1


async def test_named_defect_is_mended_without_a_diagnosis(client, replica):
    """One hop, at full severity."""
    async with client.post("/fix_defect?defect_to_fix=hazy", data=a_photo()) as reply:
        assert reply.status == 200

    [(model, sent, _)] = replica.seen
    assert model == "tone"
    assert StepRequest.model_validate_json(sent[headers.STEP]).defects == {"hazy": 1}
    assert report_of(reply).diagnosis is None


async def test_defect_without_its_enhancer_in_the_cluster(client):
    """The defect exists, its model server does not."""
    async with client.post("/fix_defect?defect_to_fix=noisy", data=a_photo()) as reply:
        assert reply.status == 503
        assert (await reply.json())["code"] == "enhancer_missing"


async def test_problems_are_named_worst_first(client, replica):
    """By severity, not by the order of the list."""
    replica.diagnosis = a_diagnosis(low_light=0.6, rotation=0.9)

    async with client.post("/detect_problems", data=a_photo()) as reply:
        assert await reply.json() == ["rotation", "low_light"]


async def test_good_photo_has_no_problems(client, replica):
    """An empty list, not 204: the question was answered."""
    replica.diagnosis = a_diagnosis()

    async with client.post("/detect_problems", data=a_photo()) as reply:
        assert (reply.status, await reply.json()) == (200, [])


async def test_diagnosis_comes_with_its_plan(client, replica):
    """Size as a viewer sees it, what was found, what would be done and what would not."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.7)

    async with client.post("/diagnose", data=a_photo(size=(80, 60))) as reply:
        answer = await reply.json()

    assert answer["found"] == ["low_light", "noisy"]
    assert answer["diagnosis"]["severities"]["low_light"] == 0.9
    assert answer["steps"] == [{"enhancer": "tone", "defects": ["low_light"]}]
    assert [step["reason"] for step in answer["skipped"]] == ["not_in_cluster"]
    assert (answer["width"], answer["height"]) == (80, 60)


async def test_client_that_hangs_up_frees_everything(gateway, replica):
    """The hop is cancelled, and the only place is free for the next photo."""
    client = await gateway(max_in_flight=1)
    replica.behaviours["defects"] = hangs
    leaving = asyncio.create_task(client.post("/enhance_image", data=a_photo()))
    await until(lambda: bool(replica.seen))
    leaving.cancel()
    await until(lambda: replica.cancelled == 1)

    replica.behaviours.clear()
    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 200


async def test_more_photos_than_places_are_refused(gateway, replica):
    """429 with a time to come back, while the photo in hand is still finished."""
    client = await gateway(max_in_flight=1)
    held = replica.behaviours["defects"] = Held(replica)
    first = asyncio.create_task(client.post("/enhance_image", data=a_photo()))
    await held.is_there()

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
        assert (await reply.json())["code"] == "over_capacity"
    held.go_on()
    assert (await first).status == 200


async def test_first_hop_may_refuse_the_photo(client, replica):
    """The header looked fine, the pixels were not: the model server's 422 is the client's."""
    refusal = b'{"title": "", "status": 422, "code": "unreadable_photo", "detail": "cut off"}'
    replica.behaviours["defects"] = answers(
        422, refusal, **{"Content-Type": "application/problem+json"}
    )

    async with client.post("/enhance_image", data=a_photo()) as reply:
        problem = await reply.json()

    assert (reply.status, problem["code"], problem["detail"]) == (
        422,
        "unreadable_photo",
        "cut off",
    )


async def test_rubbish_from_an_enhancer_never_reaches_the_client(client, replica):
    """A reply that is no photo is a failure of the model server."""
    replica.behaviours["tone"] = rubbish("tone")

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 503
        assert (await reply.json())["code"] == "replica_unavailable"


async def test_a_step_that_makes_it_no_better_is_undone(client, replica):
    """The judgement of the result says so: 204, and the report has the step among the undone."""
    replica.diagnosis = a_diagnosis(low_light=0.6)
    replica.judgements["tone"] = a_diagnosis(low_light=0.95)

    async with client.post("/enhance_image", data=a_photo()) as reply:
        report = report_of(reply)

    assert reply.status == 204
    assert report.steps == ()
    assert [(step.enhancer, step.by.model) for step in report.undone] == [("tone", "tone")]


async def test_what_is_left_of_a_defect_is_what_the_next_step_is_told(gateway, replica):
    """Severities are those of the photo as it is by then; an undone step changes neither."""
    client = await gateway(restore_url=replica.url, straighten_url=replica.url)
    replica.diagnosis = a_diagnosis(noisy=0.9, rotation=0.6, low_light=0.8)
    replica.judgements["restore"] = a_diagnosis(rotation=0.6, low_light=0.7)
    replica.judgements["straighten"] = a_diagnosis(rotation=0.9, low_light=0.1)

    async with client.post("/enhance_image", data=a_photo()) as reply:
        report = report_of(reply)

    told = [json.loads(sent[headers.STEP]) for model, sent, _ in replica.seen if model == "tone"]
    assert [step["defects"] for step in told] == [{"low_light": 0.7}]
    assert [step.enhancer for step in report.steps] == ["restore", "tone"]
    assert [step.enhancer for step in report.undone] == ["straighten"]
    assert replica.seen[2][2] == replica.seen[3][2]  # straighten's photo went on as it was


async def test_a_photo_left_alone_by_its_enhancer_is_answered_with_204(client, replica):
    """The enhancer looked closer and found nothing to change."""
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    replica.behaviours["tone"] = answers(204, **told)

    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 204
        assert skipped(reply) == {"tone": "left_alone"}


async def test_a_named_defect_is_mended_without_judgement(client, replica):
    """Whoever names a defect wants it mended; left alone, the photo comes back as it was."""
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    replica.behaviours["tone"] = answers(204, **told)
    photo = a_photo()

    async with client.post("/fix_defect?defect_to_fix=hazy", data=photo) as reply:
        assert (reply.status, await reply.read()) == (200, photo)

    assert [json.loads(sent[headers.STEP])["judge"] for _, sent, _ in replica.seen] == [False]
