"""`POST /colorize`: one hop to a model server that chooses network and size."""

import json
from functools import partial

import pytest
from aiohttp import web

from darkroom.contracts import headers, problem
from darkroom.contracts.errors import ModelMissing, OutOfMemory
from darkroom.contracts.report import ColorizeRequest, Report
from tests.gateway.photos import a_photo, brightness
from tests.gateway.replica import hangs


@pytest.fixture
async def client(gateway, replica):
    """A client of a gateway whose cluster gives colours."""
    return await gateway(colorize_url=replica.url)


def refuses(error):
    async def behave(_):
        text = problem.Problem.of(error).model_dump_json()
        return web.Response(status=error.status, text=text, content_type=problem.MEDIA_TYPE)

    return behave


async def test_the_photo_comes_back_with_a_report(client, replica):
    """One hop, to `colorize` alone; report and Server-Timing tell of it."""
    photo = a_photo()

    async with client.post("/colorize", data=photo) as reply:
        body = await reply.read()

    assert reply.status == 200
    assert brightness(body) > brightness(photo) + 20
    report = Report.model_validate_json(reply.headers[headers.REPORT])
    assert report.colorized is not None
    assert report.colorized.by.model == "colorize"
    assert "colorize;dur=" in reply.headers["Server-Timing"]
    assert [model for model, _, _ in replica.seen] == ["colorize"]


async def test_options_reach_the_model_server(client, replica):
    """Model, render factor and strength travel in the header, whole."""
    given = {"model": "stable", "render_factor": "21", "strength": "0.5"}

    async with client.post("/colorize", data=a_photo(), params=given) as reply:
        assert reply.status == 200

    told = ColorizeRequest.model_validate_json(replica.seen[0][1][headers.COLORIZE])
    assert (told.model, told.render_factor, told.strength) == ("stable", 21, 0.5)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "video"},
        {"render_factor": "6"},
        {"render_factor": "46"},
        {"render_factor": "many"},
        {"strength": "1.1"},
        {"watermark": "1"},
    ],
    ids=str,
)
async def test_what_cannot_be_asked_for_is_refused(client, replica, options):
    """400 for an unknown model or a factor out of range, before anything is done."""
    async with client.post("/colorize", data=a_photo(), params=options) as reply:
        document = await reply.json()

    assert (reply.status, document["code"]) == (400, "unknown_option")
    assert next(iter(options)) in document["detail"]
    assert replica.seen == []


@pytest.mark.parametrize("error", [ModelMissing("fetch it"), OutOfMemory()], ids=str)
async def test_what_the_model_server_lacks_is_said(client, replica, error):
    """Missing weights or memory reach the client as they are, with the sentence that helps."""
    replica.behaviours["colorize"] = refuses(error)

    async with client.post("/colorize", data=a_photo()) as reply:
        document = await reply.json()

    assert (reply.status, document["code"], document["detail"]) == (503, error.code, str(error))


async def test_without_such_a_server_it_says_so(gateway):
    """A cluster without `colorize` answers 503, not 404."""
    client = await gateway()

    async with client.post("/colorize", data=a_photo()) as reply:
        assert (reply.status, (await reply.json())["code"]) == (503, "no_replica")


async def test_slow_networks_have_a_longer_budget(gateway, replica):
    """Asked for by name they get their own default, unless the request has one."""
    client = await gateway(colorize_url=replica.url, budget_ms=9000, colorize_budget_ms=20_000)
    post = partial(client.post, "/colorize", data=a_photo())

    budgets = []
    for given in ({}, {"model": "artistic"}, {"model": "artistic", "budget_ms": "5000"}):
        async with post(params=given) as reply:
            budgets.append(json.loads(reply.headers[headers.REPORT])["budget_ms"])

    assert budgets == [9000, 20_000, 5000]


async def test_an_answer_chosen_by_time_is_kept_for_that_time_alone(gateway, replica):
    """With all options given colours are the same whenever; else a longer budget asks again."""
    client = await gateway(colorize_url=replica.url, cache_ttl_s=60)
    post = partial(client.post, "/colorize", data=a_photo())
    fixed = {"model": "lite", "render_factor": "16"}

    words = []
    for given in ({}, {}, {"budget_ms": "2000"}, fixed, fixed | {"budget_ms": "2000"}):
        async with post(params=given) as reply:
            words.append(reply.headers[headers.CACHE])

    assert words == ["miss", "hit", "miss", "miss", "hit"]


async def test_a_busy_colorizer_is_ready(client, replica):
    """It may be at one photo for seconds; the report says so, and the gateway stays ready."""
    replica.behaviours["colorize"] = hangs

    async with client.get("/readyz") as reply:
        readiness = await reply.json()

    assert reply.status == 200
    assert readiness["servers"]["colorize"] == "out_of_time"
