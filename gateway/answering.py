"""Around every route: request ids, errors turned into problem documents, counts."""

import asyncio
import logging
import re
import time
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler

from darkroom.contracts import headers
from darkroom.contracts.errors import MethodNotAllowed, NotFound, ServiceError
from gateway.metrics import Metrics
from gateway.replies import problem_response

log = logging.getLogger(__name__)

LEAVING = web.AppKey("leaving", asyncio.Event)  # set when this gateway is about to end
METRICS = web.AppKey("metrics", Metrics)
REQUEST_ID = web.RequestKey("request_id", str)

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")  # goes into logs and headers as it is


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every request, whatever happens inside."""
    given = request.headers.get(headers.REQUEST_ID, "")
    request[REQUEST_ID] = given if _SANE_ID.fullmatch(given) else uuid4().hex
    started, outcome = time.perf_counter(), "gone"  # the client, unless an answer is found
    try:
        reply, outcome = await _answered(request, handler)
    finally:
        seconds = time.perf_counter() - started
        request.app[METRICS].observe_answer(_route_of(request), outcome, seconds)
    reply.headers[headers.REQUEST_ID] = request[REQUEST_ID]
    if request.app[LEAVING].is_set():
        reply.force_close()  # so that the client's next photo goes elsewhere
    reply.headers["X-Content-Type-Options"] = "nosniff"
    reply.headers["Server"] = "Darkroom"  # without the versions aiohttp would tell
    return reply


async def _answered(request: web.Request, handler: Handler) -> tuple[web.StreamResponse, str]:
    try:
        reply = await handler(request)
        return reply, str(reply.status)
    except ServiceError as error:
        return problem_response(error, request[REQUEST_ID]), error.code
    except web.HTTPNotFound:
        return problem_response(NotFound(), request[REQUEST_ID]), NotFound.code
    except web.HTTPMethodNotAllowed as error:
        refusal = problem_response(MethodNotAllowed(), request[REQUEST_ID])
        refusal.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return refusal, MethodNotAllowed.code
    except Exception:
        log.exception("request %s failed", request[REQUEST_ID])
        return problem_response(ServiceError(), request[REQUEST_ID]), ServiceError.code


def _route_of(request: web.Request) -> str:
    """The route's own path, so that made-up paths make no new time series."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
