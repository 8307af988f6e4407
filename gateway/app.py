"""The gateway's application: its routes and what they share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
from aiohttp import web

from darkroom.contracts import headers
from darkroom.contracts.adjust import AdjustOptions
from darkroom.contracts.defects import ENHANCER_OF, Enhancer
from darkroom.contracts.options import (
    ColorizeOptions,
    DiagnoseOptions,
    EnhanceOptions,
    FixDefectOptions,
)
from darkroom.contracts.report import DiagnoseAnswer, Report
from gateway.addresses import Addresses
from gateway.adjusting import adjust
from gateway.admission import Admission
from gateway.answering import LEAVING, METRICS, REQUEST_ID, answer
from gateway.budget import Budget
from gateway.cache import open_store
from gateway.calls import Work
from gateway.calm import CALM, Calm
from gateway.capacity import Capacity, Road
from gateway.colorizing import colorize, is_slow, operation_of
from gateway.docs_page import docs_page
from gateway.enhancing import Enhancing
from gateway.jobs.front import JOBS, add_jobs
from gateway.metrics import Metrics
from gateway.model_server import ModelServer
from gateway.openapi import openapi_document
from gateway.page import page_routes
from gateway.planning import Costs
from gateway.probes import probing
from gateway.readiness import Probe
from gateway.reading import Options, read_photo
from gateway.replica_metrics import ReplicaMetrics
from gateway.replicas import Replicas
from gateway.replies import json_response, photo_response
from gateway.results import Asked, Results, Run
from gateway.settings import Settings
from gateway.sharing import Sharing
from gateway.votes.front import add_votes
from gateway.wire import Wire

routes = web.RouteTableDef()

SETTINGS = web.AppKey("settings", Settings)
ADMISSION = web.AppKey("admission", Admission)
SERVERS = web.AppKey("servers", dict[str, Replicas])
CAPACITY = web.AppKey("capacity", Capacity)
SHARING = web.AppKey("sharing", Sharing)
ENHANCING = web.AppKey("enhancing", Enhancing)
RESULTS = web.AppKey("results", Results)
PROBE = web.AppKey("probe", Probe)


def create_app(settings: Settings) -> web.Application:
    """Build the gateway. It connects to nothing before the first request."""
    app = web.Application(middlewares=[answer])
    app[SETTINGS] = settings
    app[ADMISSION] = Admission(settings.max_in_flight, settings.max_held_bytes)
    app[CALM] = Calm()
    app[METRICS] = Metrics()
    app[SHARING] = Sharing(settings.shared_folder, settings.shared_bytes)
    app[LEAVING] = asyncio.Event()
    app[METRICS].in_flight.set_function(lambda: app[ADMISSION].in_flight)
    app[METRICS].held_bytes.set_function(lambda: app[ADMISSION].held_bytes)
    app.add_routes(routes)
    app.add_routes(page_routes(settings.page_dir))
    app.cleanup_ctx.append(_shared_folder)
    app.cleanup_ctx.append(_model_servers)
    app.cleanup_ctx.append(_results)
    add_jobs(app, settings, app[ADMISSION], app[METRICS].registry)
    add_votes(app)
    return app


async def _shared_folder(app: web.Application) -> AsyncIterator[None]:
    with app[SHARING].opened():
        yield


async def _model_servers(app: web.Application) -> AsyncIterator[None]:
    """One session to all model servers; its pool keeps their connections alive."""
    settings = app[SETTINGS]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=settings.max_in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # each call is bounded by its budget
        auto_decompress=False,
        # TorchServe hands each header on to its worker, who reads it in four pieces.
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        read_bufsize=1 << 20,
    ) as session:

        def replicas(name: str, urls: str) -> Replicas:
            def edge(url: str) -> ModelServer:
                wire = Wire(name, url, session, settings.reply_limit_bytes)
                return ModelServer(name, wire, app[SHARING], app[METRICS].observe_hop)

            addresses = Addresses(name, urls, settings.replicas_file)
            return Replicas(addresses, edge, partial(probing, name), settings.replica_depth)

        servers = {name: replicas(name, urls) for name, urls in settings.model_server_urls.items()}
        enhancers = {e: servers[e] for e in Enhancer if e in servers}
        app[SERVERS] = servers
        app[METRICS].registry.register(ReplicaMetrics(servers.values()))
        app[ENHANCING] = Enhancing(servers["defects"], enhancers, Costs())
        app[PROBE] = Probe(servers)
        watching = [asyncio.create_task(server.discovery.watch()) for server in servers.values()]
        yield
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _results(app: web.Application) -> AsyncIterator[None]:
    """What can be taken on, and what need not be done again."""
    settings, servers = app[SETTINGS], app[SERVERS]
    store = open_store(settings.redis_url, settings.cache_bytes, settings.cache_ttl_s)
    app[CAPACITY] = Capacity(servers)
    app[RESULTS] = Results(store, servers, app[CAPACITY], app[SHARING])
    yield
    if store is not None:
        await store.close()


@asynccontextmanager
async def received(
    request: web.Request, options_type: type[Options]
) -> AsyncIterator[tuple[Work, Options]]:
    """The photo of a request and its options, with a place among those being worked on."""
    settings, admission = request.app[SETTINGS], request.app[ADMISSION]
    is_job = request.headers.get(headers.PRIORITY) == "job"
    if is_job:
        await request.app[CALM].wait()
    else:
        request.app[CALM].disturb()
    admission.expect_place()
    with admission.body() as held:
        photo, options = await read_photo(request, options_type, settings, held)
        with admission.photo():
            usual_ms = settings.colorize_budget_ms if is_slow(options) else settings.budget_ms
            budget = Budget.start(options.budget_ms or usual_ms, is_job=is_job)
            yield Work(photo, budget, request[REQUEST_ID]), options


async def _answered(
    request: web.Request,
    work: Work,
    options: DiagnoseOptions,
    road: Road,
    run: Run,
    operation: str = "",
) -> web.Response:
    """The photo of a finished run, or of an equal one that is known already."""
    may_keep = "no-store" not in request.headers.get("Cache-Control", "")
    asked = Asked(work, operation or request.path, options, road, may_keep)
    outcome, word = await request.app[RESULTS].outcome(asked, run)
    request.app[METRICS].count_outcome(outcome.report, word)
    reply = photo_response(work, outcome, request.app[ADMISSION])
    reply.headers[headers.CACHE] = word
    return reply


@routes.post("/enhance_image")
async def enhance_image(request: web.Request) -> web.Response:
    """Find what is wrong and mend it. Reply: the photo, or 204 where nothing needs mending."""
    async with received(request, EnhanceOptions) as (work, options):
        run = partial(request.app[ENHANCING].enhance, options=options)
        return await _answered(request, work, options, Road(("defects",), options.steps), run)


@routes.post("/fix_defect")
async def fix_defect(request: web.Request) -> web.Response:
    """Mend one named defect. Reply: the photo in its own format."""
    async with received(request, FixDefectOptions) as (work, options):
        defect, strength = options.defect_to_fix, options.strength
        run = partial(request.app[ENHANCING].fix, defect=defect, strength=strength)
        return await _answered(request, work, options, Road((ENHANCER_OF[defect],)), run)


@routes.post("/adjust")
async def adjust_photo(request: web.Request) -> web.Response:
    """Turn the manual sliders. Reply: the photo in its own format."""
    async with received(request, AdjustOptions) as (work, options):
        turn, enhancers = options.adjustments, request.app[ENHANCING].enhancers
        run = partial(adjust, enhancers=enhancers, adjustments=turn)
        return await _answered(request, work, options, Road((Enhancer.TONE,)), run)


@routes.post("/colorize")
async def colorize_photo(request: web.Request) -> web.Response:
    """Give a photo the colours that are likely for it. Reply: the photo in its own format."""
    async with received(request, ColorizeOptions) as (work, options):
        colorizer = request.app[SERVERS].get("colorize")
        run = partial(colorize, colorizer=colorizer, options=options)
        operation = operation_of(options, work.budget)
        road = Road(("colorize",), network=options.model or "")
        return await _answered(request, work, options, road, run, operation)


@routes.post("/detect_problems")
async def detect_problems(request: web.Request) -> web.Response:
    """Reply: the names of the defects found, worst first."""
    async with received(request, DiagnoseOptions) as (work, _):
        diagnosed, report = await _diagnosed(request, work)
        return json_response(list(diagnosed.found), report)


@routes.post("/diagnose")
async def diagnose(request: web.Request) -> web.Response:
    """Reply: the severity of every defect and the plan it leads to."""
    async with received(request, DiagnoseOptions) as (work, _):
        diagnosed, report = await _diagnosed(request, work)
        return json_response(diagnosed, report)


async def _diagnosed(request: web.Request, work: Work) -> tuple[DiagnoseAnswer, Report]:
    road, megapixels = Road(("defects",)), work.photo.megapixels
    with request.app[CAPACITY].admitted(road, megapixels, work.budget):
        async with request.app[SHARING].shared(work) as shared:
            return await request.app[ENHANCING].diagnose(shared)


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    """The process lives."""
    return web.Response(text="ok")


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Every model server has just mended a tiny photo, or 503. Jobs are told and not asked for."""
    readiness, jobs = await asyncio.gather(
        request.app[PROBE].readiness(), request.app[JOBS].state()
    )
    ready = readiness.ready and not request.app[LEAVING].is_set()
    readiness = readiness.model_copy(update={"jobs": jobs, "ready": ready})
    return web.json_response(
        text=readiness.model_dump_json(), status=200 if readiness.ready else 503
    )


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Counts and times for Prometheus."""
    await request.app[JOBS].count()
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
