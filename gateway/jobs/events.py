"""What happens to jobs, as server-sent events (https://html.spec.whatwg.org, section 9.2).

An event's id is the version of the session that it belongs to. A stream sends the present state of
what has changed since the version it was asked from, not every state in between: whoever comes back
with `Last-Event-ID` misses nothing that still holds.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from darkroom.contracts.errors import JobsUnavailable, NotFound
from darkroom.contracts.jobs import Job, JobStatus
from gateway.jobs.rows import to_job, to_progress
from gateway.jobs.service import Service

LAST_EVENT_ID = "Last-Event-ID"
RETRY_MS = 2000
_BEAT_S = 15.0  # a comment that often keeps proxies from closing the connection
_WRITE_S = 10.0  # a reader that takes nothing for so long is gone
_FINAL = (JobStatus.COMPLETED, JobStatus.FAILED)


def last_version(request: web.Request) -> int:
    """Where the client stands; what is no number of ours means the beginning."""
    given = request.headers.get(LAST_EVENT_ID, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


async def stream_events(
    request: web.Request, service: Service, session: bytes, id_: UUID | None
) -> web.StreamResponse:
    """Stream the jobs of a session, or of one job or order until all of it has ended.

    Raises:
        NotFound: there is no such job or order.
        JobsUnavailable: the database is away now; later on the stream waits for it.
    """
    version = last_version(request)
    if id_ is not None:
        await service.store.find(session, id_)
    else:
        await service.store.changed_since(session, version, None)  # away: a plain 503
    stream = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # nginx would hold events back
        }
    )
    await stream.prepare(request)
    with contextlib.suppress(ConnectionError, TimeoutError):
        await _write(stream, f"retry: {RETRY_MS}\n\n")
        await _follow(stream, service, session, id_, version)
    return stream


async def _follow(
    stream: web.StreamResponse, service: Service, session: bytes, id_: UUID | None, version: int
) -> None:
    loop = asyncio.get_running_loop()
    written = loop.time()
    with service.changes.followed(session) as following:
        goes_on = True
        while goes_on:
            with contextlib.suppress(JobsUnavailable):
                version, text, ended = await _news(service, session, id_, version)
                if text:
                    await _write(stream, text)
                    written = loop.time()
                if ended:
                    return
            if loop.time() - written > _BEAT_S:
                await _write(stream, ": still here\n\n")
                written = loop.time()
            goes_on = await following.wait()


async def _news(
    service: Service, session: bytes, id_: UUID | None, version: int
) -> tuple[int, str, bool]:
    """(version reached, events to send, whether nothing more will come)."""
    # Asked first: what ends between this and the next question is news, not yet the end.
    ended = id_ is not None and all(
        job.status in _FINAL for job in await _jobs_of(service, session, id_)
    )
    reached, rows = await service.store.changed_since(session, version, id_)
    if version > reached:  # of another database, or made up
        reached, rows = await service.store.changed_since(session, 0, id_)
    texts = [_event("job", to_job(row), row["version"]) for row in rows]
    latest = {row["order_id"]: row["version"] for row in rows}
    for order, at in latest.items():
        jobs = await _jobs_of(service, session, order)
        if jobs:
            texts.append(_event("order", to_progress(order, jobs), at))
    if ended:
        texts.append(f"event: end\nid: {reached}\ndata: {{}}\n\n")
    return reached, "".join(texts), ended


async def _jobs_of(service: Service, session: bytes, id_: UUID) -> Sequence[Job]:
    """Its jobs; none once it has been deleted."""
    try:
        return [to_job(row) for row in await service.store.find(session, id_)]
    except NotFound:
        return []


def _event(name: str, data: BaseModel, version: int) -> str:
    return f"event: {name}\nid: {version}\ndata: {data.model_dump_json()}\n\n"  # JSON is one line


async def _write(stream: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_WRITE_S):
        await stream.write(text.encode())
