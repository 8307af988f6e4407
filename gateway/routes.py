"""The routes that take a photo."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

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
from gateway.adjusting import adjust
from gateway.answering import METRICS, REQUEST_ID
from gateway.budget import Budget
from gateway.calls import Work
from gateway.calm import CALM
from gateway.capacity import Road
from gateway.colorizing import colorize, is_slow, operation_of
from gateway.keys import ADMISSION, CAPACITY, ENHANCING, RESULTS, SERVERS, SETTINGS, SHARING
from gateway.reading import Options, read_photo
from gateway.replies import json_response, photo_response
from gateway.results import Asked, Run

routes = web.RouteTableDef()


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
