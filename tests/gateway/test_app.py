"""`gateway/app.py` and `about.py`: probes, documents, metrics, start and stop."""

import asyncio
import json
import re
import signal

import pytest
from pydantic import ValidationError
from yarl import URL

from darkroom.contracts.options import EnhanceOptions
from darkroom.contracts.report import Report
from gateway.app import create_app
from gateway.docs_page import docs_page
from gateway.openapi import openapi_document
from gateway.replies import compact
from gateway.settings import Settings
from tests.gateway.conftest import NO_PAGE
from tests.gateway.photos import a_photo
from tests.gateway.process import gateway_process
from tests.gateway.replica import a_diagnosis, a_model_reply


async def test_live_process_says_so(client):
    """Without asking any model server."""
    async with client.get("/healthz") as reply:
        assert (reply.status, await reply.text()) == (200, "ok")


async def test_unknown_path_is_a_problem_document(client):
    """As every error."""
    async with client.get("/models") as reply:
        assert reply.status == 404
        assert (await reply.json())["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    ["/models", "/predictions/defects", "/token", "/ping", "/api/../models", "/..%2fetc%2fpasswd"],
)
async def test_model_servers_do_not_show_through(client, replica, path):
    """What TorchServe answers, and what climbs out of a folder, does not exist here."""
    for method in ("GET", "POST"):
        url = URL(f"{client._base_url.origin()}{path}", encoded=True)  # as it is
        async with client.request(method, url) as reply:
            assert reply.status == 404
    assert not replica.seen


async def test_wrong_method_is_told_the_right_one(client):
    """405 with Allow."""
    async with client.get("/enhance_image") as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")
        assert (await reply.json())["code"] == "method_not_allowed"


async def test_request_id_of_the_client_is_kept(client):
    """So that its logs and ours can be laid side by side."""
    async with client.get("/healthz", headers={"X-Request-ID": "a-1_b.2"}) as reply:
        assert reply.headers["X-Request-ID"] == "a-1_b.2"


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 65, '"><script>'])
async def test_odd_request_id_is_replaced(client, given):
    """It goes into logs and headers, so it has to be plain."""
    async with client.get("/healthz", headers={"X-Request-ID": given}) as reply:
        assert re.fullmatch("[0-9a-f]{32}", reply.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs"])
async def test_no_reply_is_to_be_sniffed(client, path):
    """Browsers take the media type as it is, and learn no versions."""
    async with client.get(path) as reply:
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Server"] == "Darkroom"


async def test_metrics_count_answers_hops_and_skipped_steps(client, replica):
    """By route and outcome, by model server, by enhancer and reason."""
    replica.diagnosis = a_diagnosis(low_light=0.9, noisy=0.9)
    await client.post("/enhance_image", data=a_photo())
    await client.post("/enhance_image", data=b"not a picture")
    await client.get("/made-up-path")

    async with client.get("/metrics") as reply:
        text = await reply.text()

    assert 'answer_seconds_count{outcome="200",route="/enhance_image"} 1.0' in text
    assert 'answer_seconds_count{outcome="unsupported_photo",route="/enhance_image"} 1.0' in text
    assert 'answer_seconds_count{outcome="not_found",route="none"} 1.0' in text
    assert 'hop_seconds_count{outcome="ok",server="tone"} 1.0' in text
    assert 'skipped_steps_total{enhancer="restore",reason="not_in_cluster"} 1.0' in text
    assert "darkroom_photos_in_flight 0.0" in text
    assert "darkroom_held_bytes 0.0" in text


async def test_metrics_tell_of_each_replica(client, replica):
    """Its photos, whether it is trusted and its answers; how many wait for one."""
    await client.post("/diagnose", data=a_photo())

    async with client.get("/metrics") as reply:
        text = await reply.text()

    one = f'replica="{replica.url}/",server="defects"'
    assert f"darkroom_replica_outstanding{{{one}}} 0.0" in text
    assert f"darkroom_replica_trusted{{{one}}} 1.0" in text
    assert f'darkroom_replica_answers_total{{outcome="ok",{one}}} 1.0' in text
    assert 'darkroom_waiting_photos{server="tone"} 0.0' in text


async def test_openapi_document_matches_the_routes(client):
    """Every route is described, and nothing else is."""
    async with client.get("/openapi.json") as reply:
        document = await reply.json()
    routes = {
        (resource.canonical, method)
        for resource, method in _served_routes()
        if method != "HEAD" and resource.canonical != "/"
    }

    assert document["openapi"].startswith("3.1")
    assert {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    } == routes


def _served_routes():
    return [
        (route.resource, route.method)
        for route in create_app(Settings(page_dir=NO_PAGE)).router.routes()
    ]


def test_openapi_document_refers_to_nothing_missing():
    """Every $ref leads somewhere."""
    document = openapi_document()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))

    assert "Problem" in named
    assert named <= set(document["components"]["schemas"])


def test_openapi_options_are_the_contracts_options():
    """In the query and in the form."""
    route = openapi_document()["paths"]["/enhance_image"]["post"]
    form = route["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]

    assert {p["name"] for p in route["parameters"]} == set(EnhanceOptions.model_fields)
    assert set(form) == {"image", *EnhanceOptions.model_fields}


async def test_documentation_page_is_self_contained(client):
    """It names every route and loads nothing from anywhere."""
    async with client.get("/") as reply:
        page = await reply.text()

    assert reply.url.path == "/docs"
    assert all(path in page for path in openapi_document()["paths"])
    assert "low_light" in page
    assert not re.search(r"<script|<link|src=|https?://|@import", page)


def test_documented_commands_name_what_is_needed():
    """The example of a route with a required option gives it a value that is allowed."""
    page = docs_page(openapi_document())

    assert "-F image=@photo.jpg -F defect_to_fix=blur -o better.jpg HOST/fix_defect" in page
    assert "-F image=@photo.jpg -o better.jpg HOST/enhance_image" in page


def test_report_stays_within_a_header_whatever_a_model_server_says():
    """Line ends, other alphabets and not-a-numbers do not get through."""
    said = a_model_reply().model_copy(update={"device": 'Grafik\n\u00fc":1.23456,'})
    report = Report(request_id="x", diagnosed_by=said, total_ms=1.23456, budget_ms=1000)
    text = compact(report)

    assert text.isascii()
    assert text.isprintable()
    assert Report.model_validate_json(text).diagnosed_by == said
    assert Report.model_validate_json(text).total_ms == 1.234


def test_names_are_short():
    """A model server that tells a novel is not quoted."""
    with pytest.raises(ValidationError):
        a_model_reply("x" * 65)


@pytest.mark.parametrize("said", [{"network_ms": float("inf")}, {"network_ms": float("nan")}])
def test_times_are_numbers(said):
    """Others would make a report that nobody can read."""
    with pytest.raises(ValidationError):
        a_model_reply(**said)


async def test_termination_finishes_what_was_begun(replica):
    """SIGTERM in the middle of a photo: the photo is answered, then the process ends with 0."""

    async def takes_a_while(request):
        asked.set()
        await asyncio.sleep(0.6)
        return await replica._answer(request)

    asked = asyncio.Event()
    replica.behaviours["defects"] = takes_a_while
    async with gateway_process(replica.url) as (process, client):
        sent = asyncio.create_task(client.post("/enhance_image", data=a_photo()))
        await asked.wait()
        process.send_signal(signal.SIGTERM)
        assert (await sent).status == 200
        assert await process.wait() == 0


async def test_leaving_gateway_says_so_before_it_closes(replica):
    """For a while photos are still taken, over connections that end; `/readyz` keeps more away."""
    async with gateway_process(replica.url, DARKROOM_DRAIN_S="3") as (process, client):
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status != 503:  # noqa: ASYNC110 – a process
                await asyncio.sleep(0.02)
        async with client.post("/enhance_image", data=a_photo()) as reply:
            assert (reply.status, reply.headers["Connection"]) == (200, "close")
        assert await process.wait() == 0
