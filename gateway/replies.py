"""What leaves the gateway: photos, JSON and problem documents, with their headers."""

import json
import re
from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel

from darkroom.contracts import headers, problem
from darkroom.contracts.errors import OverCapacity, ServiceError
from darkroom.contracts.report import Report
from gateway.admission import Admission
from gateway.calls import Work
from gateway.enhancing import Outcome


class PhotoResponse(web.Response):
    """A photo whose bytes count as held until the client has taken nearly all of them."""

    def __init__(
        self, payload: bytes, media_type: str, told: Mapping[str, str], admission: Admission
    ) -> None:
        super().__init__(body=payload, content_type=media_type, headers=told)
        self._admission, self._bytes = admission, len(payload)

    async def write_eof(self, data: bytes = b"") -> None:
        with self._admission.answer(self._bytes):
            await super().write_eof(data)


def photo_response(work: Work, outcome: Outcome, admission: Admission) -> web.Response:
    """The mended photo in the format it came in, or 204 where nothing needs mending."""
    told = _told(outcome.report)
    if outcome.payload is None:
        return web.Response(status=204, headers=told)
    media_type = work.photo.header.format.media_type
    return PhotoResponse(outcome.payload, media_type, told, admission)


def json_response(answer: BaseModel | list[str], report: Report) -> web.Response:
    text = answer.model_dump_json() if isinstance(answer, BaseModel) else json.dumps(answer)
    return web.Response(text=text, content_type="application/json", headers=_told(report))


def problem_response(error: ServiceError, request_id: str) -> web.Response:
    """The problem document of an error, with its status."""
    document = problem.Problem.of(error, request_id).model_dump_json()
    reply = web.Response(
        status=error.status, body=document.encode(), content_type=problem.MEDIA_TYPE
    )
    if isinstance(error, OverCapacity):
        reply.headers["Retry-After"] = str(error.retry_after_s)
    return reply


def _told(report: Report) -> dict[str, str]:
    return {headers.REPORT: compact(report), "Server-Timing": server_timing(report)}


# Digits after the third of a number that is a key's value; in a string the quote would be escaped.
_LONG_NUMBER = re.compile(r'":(?<!\\":)(-?\d+\.\d{3})\d+(?=[,}])')


def compact(report: Report) -> str:
    """JSON fit for a header: ASCII, one line, no more digits than mean anything."""
    # Cut off rather than rounded: half the time of a detour over Python's objects.
    return _LONG_NUMBER.sub(r'":\1', report.model_dump_json(ensure_ascii=True))


def server_timing(report: Report) -> str:
    """The hops and their total as browsers show them (https://www.w3.org/TR/server-timing/)."""
    hops = [] if report.diagnose_ms is None else [("defects", report.diagnose_ms)]
    hops += [(step.enhancer, step.ms) for step in report.steps]
    if report.colorized is not None:
        hops.append(("colorize", report.colorized.ms))
    hops.append(("total", report.total_ms))
    return ", ".join(f"{name};dur={ms:.1f}" for name, ms in hops)
