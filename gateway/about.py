"""The routes about the gateway itself: whether it lives and is ready, its counts, its interface."""

import asyncio

from aiohttp import web

from gateway.answering import LEAVING, METRICS
from gateway.docs_page import docs_page
from gateway.jobs.front import JOBS
from gateway.keys import PROBE
from gateway.openapi import openapi_document

routes = web.RouteTableDef()


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
