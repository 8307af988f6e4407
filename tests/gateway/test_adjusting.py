"""`POST /adjust`: the manual sliders, through `gateway/adjusting.py`."""

import json

import pytest

from darkroom.contracts import headers
from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.report import Report
from tests.gateway.photos import a_form, a_photo
from tests.gateway.replica import a_model_reply, answers


@pytest.fixture
def turned(replica):
    """What the fake `tone` answers: a photo of its own."""
    photo = a_photo()
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    replica.behaviours["tone"] = answers(200, photo, **told)
    return photo


async def test_sliders_reach_tone_and_its_photo_comes_back(client, replica, turned):
    """One hop, no diagnosis; the report names the model that did it."""
    sliders = {"exposure": "0.5", "straighten": "-3"}

    async with client.post("/adjust", params=sliders, data=a_photo()) as reply:
        assert await reply.read() == turned
        report = Report.model_validate_json(reply.headers[headers.REPORT])

    ((model, asked, _),) = replica.seen
    assert model == "tone"
    assert headers.STEP not in asked
    given = Adjustments.model_validate_json(asked[headers.ADJUST])
    assert given == Adjustments(exposure=0.5, straighten=-3)
    assert [(step.enhancer, step.defects) for step in report.steps] == [("tone", ())]


async def test_photo_left_alone_comes_back_as_it_was(client, replica):
    """With nothing turned the answer is the very photo, not 204: it was asked for."""
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    replica.behaviours["tone"] = answers(204, **told)
    photo = a_photo()

    async with client.post("/adjust", data=a_form(image=photo)) as reply:
        assert (reply.status, await reply.read()) == (200, photo)


@pytest.mark.parametrize("option", ["exposure=3", "straighten=nan", "brightness=1"])
async def test_what_no_slider_can_do_is_refused(client, option):
    """Out of range, not a number, unknown: 400 before anything is asked."""
    async with client.post(f"/adjust?{option}", data=a_photo()) as reply:
        assert reply.status == 400
        assert (await reply.json(content_type=None))["code"] == "unknown_option"


async def test_without_tone_there_are_no_sliders(gateway):
    """A cluster without that model server says so."""
    client = await gateway(tone_url=None)

    async with client.post("/adjust?exposure=1", data=a_photo()) as reply:
        assert reply.status == 503
        assert json.loads(await reply.read())["code"] == "enhancer_missing"
