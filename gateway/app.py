"""The gateway's application: its routes and what they share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
from aiohttp import web

from darkroom.contracts.options import DiagnoseOptions, EnhanceOptions, FixDefectOptions
from gateway.addresses import Addresses
from gateway.admission import Admission
from gateway.answering import METRICS, REQUEST_ID, answer
from gateway.budget import Budget
from gateway.docs_page import docs_page
from gateway.enhancing import Enhancing, Outcome, Work
from gateway.metrics import Metrics
from gateway.model_server import ModelServer
from gateway.openapi import openapi_document
from gateway.planning import Costs
from gateway.readiness import Probe, probe_defects, probe_enhancer
from gateway.reading import Options, read_photo
from gateway.replica_metrics import ReplicaMetrics
from gateway.replicas import Call, Replicas
from gateway.replies import json_response, photo_response
from gateway.settings import Settings

routes = web.RouteTableDef()

SETTINGS = web.AppKey("settings", Settings)
ADMISSION = web.AppKey("admission", Admission)
ENHANCING = web.AppKey("enhancing", Enhancing)
PROBE = web.AppKey("probe", Probe)


def create_app(settings: Settings) -> web.Application:
    """Build the gateway. It connects to nothing before the first request."""
    app = web.Application(middlewares=[answer])
    app[SETTINGS] = settings
    app[ADMISSION] = Admission(settings.max_in_flight, settings.max_held_bytes)
    app[METRICS] = Metrics()
    app[METRICS].in_flight.set_function(lambda: app[ADMISSION].in_flight)
    app[METRICS].held_bytes.set_function(lambda: app[ADMISSION].held_bytes)
    app.add_routes(routes)
    app.cleanup_ctx.append(_model_servers)
    return app


async def _model_servers(app: web.Application) -> AsyncIterator[None]:
    """One session to all model servers; its pool keeps their connections alive."""
    settings = app[SETTINGS]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=settings.max_in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # each call is bounded by its budget
        auto_decompress=False,
        read_bufsize=1 << 20,
    ) as session:

        def replicas(name: str, urls: str, probe: Call[object]) -> Replicas:
            def edge(url: str) -> ModelServer:
                most, observe = settings.max_reply_bytes, app[METRICS].observe_hop
                return ModelServer(name, url, session, most, observe)

            addresses = Addresses(name, urls, settings.replicas_file)
            return Replicas(addresses, edge, probe, settings.replica_depth)

        defects = replicas("defects", settings.defects_url, probe_defects)
        enhancers = {
            enhancer: replicas(enhancer, urls, partial(probe_enhancer, enhancer=enhancer))
            for enhancer, urls in settings.enhancer_urls.items()
        }
        servers = (defects, *enhancers.values())
        app[METRICS].registry.register(ReplicaMetrics(lambda: servers))
        app[ENHANCING] = Enhancing(defects, enhancers, Costs())
        app[PROBE] = Probe(app[ENHANCING])
        watching = [asyncio.create_task(server.watch()) for server in servers]
        yield
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


@asynccontextmanager
async def received(
    request: web.Request, options_type: type[Options]
) -> AsyncIterator[tuple[Work, Options]]:
    """The photo of a request and its options, with a place among those being worked on."""
    settings, admission = request.app[SETTINGS], request.app[ADMISSION]
    admission.expect_place()
    with admission.body() as held:
        photo, options = await read_photo(request, options_type, settings, held)
        with admission.photo():
            budget = Budget.start(options.budget_ms or settings.budget_ms)
            yield Work(photo, budget, request[REQUEST_ID]), options


def _answered(request: web.Request, work: Work, outcome: Outcome) -> web.Response:
    request.app[METRICS].count_skipped(outcome.report)
    return photo_response(work, outcome)


@routes.post("/enhance_image")
async def enhance_image(request: web.Request) -> web.Response:
    """Find what is wrong and mend it. Reply: the photo, or 204 where nothing needs mending."""
    async with received(request, EnhanceOptions) as (work, options):
        outcome = await request.app[ENHANCING].enhance(work, options)
        return _answered(request, work, outcome)


@routes.post("/fix_defect")
async def fix_defect(request: web.Request) -> web.Response:
    """Mend one named defect. Reply: the photo in its own format."""
    async with received(request, FixDefectOptions) as (work, options):
        enhancing = request.app[ENHANCING]
        outcome = await enhancing.fix(work, options.defect_to_fix, options.strength)
        return _answered(request, work, outcome)


@routes.post("/detect_problems")
async def detect_problems(request: web.Request) -> web.Response:
    """Reply: the names of the defects found, worst first."""
    async with received(request, DiagnoseOptions) as (work, _):
        diagnosed, report = await request.app[ENHANCING].diagnose(work)
        return json_response(list(diagnosed.found), report)


@routes.post("/diagnose")
async def diagnose(request: web.Request) -> web.Response:
    """Reply: the severity of every defect and the plan it leads to."""
    async with received(request, DiagnoseOptions) as (work, _):
        diagnosed, report = await request.app[ENHANCING].diagnose(work)
        return json_response(diagnosed, report)


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    """The process lives."""
    return web.Response(text="ok")


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Every model server has just mended a tiny photo, or 503."""
    readiness = await request.app[PROBE].readiness()
    return web.json_response(
        text=readiness.model_dump_json(), status=200 if readiness.ready else 503
    )


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Counts and times for Prometheus."""
    text = request.app[METRICS].text()
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


@routes.get("/openapi.json")
async def openapi(_: web.Request) -> web.Response:
    """This service as an OpenAPI document."""
    return web.json_response(openapi_document())


@routes.get("/docs")
async def docs(_: web.Request) -> web.Response:
    """The same to read."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    page = docs_page(openapi_document())
    return web.Response(
        text=page, content_type="text/html", headers={"Content-Security-Policy": policy}
    )


@routes.get("/")
async def root(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "/docs"})
