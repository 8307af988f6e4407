"""What the routes under `/api/images` answer, as `darkroom.contracts.jobs` describes them.

Each function takes the request, the open service and the session's digest; `front` calls them.
"""

import re
from urllib.parse import quote
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from darkroom.contracts.errors import MalformedRequest, NotFinished, NotFound, UnknownOption
from darkroom.contracts.jobs import IDEMPOTENCY_HEADER, JOBS_ROUTE, JobList, JobStatus
from gateway.jobs.events import stream_events
from gateway.jobs.orders import OrderRequest, take_order
from gateway.jobs.rows import Row, to_job, to_order
from gateway.jobs.service import Service
from gateway.jobs.storage import original_key
from gateway.jobs.uploads import received_upload, wishes_of
from gateway.replies import PhotoResponse

PAGE, LONGEST_PAGE = 50, 200
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
OF_PHOTOS = {  # a stranger's bytes on our own origin
    "Cache-Control": "private, max-age=3600, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def take(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Take photos, or run earlier ones again. Reply: the job, or the order where they are many."""
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise MalformedRequest(f"{IDEMPOTENCY_HEADER}: 1 to 200 visible ASCII characters.")
    with service.admission.body() as held:
        async with received_upload(request, service.storage, service.settings, held) as upload:
            wishes = wishes_of(upload)
            if wishes.webhook is not None:
                await service.check_webhook(wishes.webhook)
            asked = OrderRequest(
                session,
                wishes.operation,
                wishes.options,
                tuple(upload.photos),
                wishes.source,
                wishes.webhook,
                key,
            )
            most_waiting = service.settings.max_waiting_jobs
            taken = await take_order(service.database, asked, most_waiting)
    if not taken.is_new:
        await service.storage.delete(upload.keys)
    one = len(taken.jobs) == 1
    document = taken.jobs[0] if one else to_order(taken.order, taken.jobs)
    reply = _document(document, status=201 if taken.is_new else 200)
    reply.headers["Location"] = f"{JOBS_ROUTE}/{document.id}"
    return reply


async def listing(request: web.Request, service: Service, session: bytes) -> web.Response:
    """The jobs of a session, newest first."""
    limit = _number(request, "limit") or PAGE
    if limit > LONGEST_PAGE:
        raise UnknownOption(f"limit: 1 to {LONGEST_PAGE}")
    rows = await service.store.page(session, _number(request, "before"), limit + 1)
    more = str(rows[limit - 1]["seq"]) if len(rows) > limit else None
    return _document(JobList(images=tuple(to_job(row) for row in rows[:limit]), next=more))


async def look(request: web.Request, service: Service, session: bytes) -> web.Response:
    """A job, or an order under its own id."""
    id_ = _id(request)
    found = [to_job(row) for row in await service.store.find(session, id_)]
    return _document(found[0] if found[0].id == id_ else to_order(id_, found))


async def delete(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Delete a job or an order: rows and bytes, those of photos that nobody needs any more too."""
    await service.delete(session, _id(request))
    return web.Response(status=204)


async def session_events(
    request: web.Request, service: Service, session: bytes
) -> web.StreamResponse:
    """What happens to all jobs of a session."""
    return await stream_events(request, service, session, None)


async def job_events(request: web.Request, service: Service, session: bytes) -> web.StreamResponse:
    """What happens to a job or order, until it has ended."""
    return await stream_events(request, service, session, _id(request))


async def original(request: web.Request, service: Service, session: bytes) -> web.Response:
    """The photo as it was sent."""
    row = await service.store.one(session, _id(request))
    return await _photo(request, service, original_key(row["photo_id"]), row["media_type"], row)


async def result(request: web.Request, service: Service, session: bytes) -> web.Response:
    """The photo as it came back; the original where nothing needed mending."""
    row = await service.store.one(session, _id(request))
    if row["status"] != JobStatus.COMPLETED:
        raise NotFinished()
    key = row["result_key"] or original_key(row["photo_id"])
    media_type = row["result_media_type"] or row["media_type"]
    return await _photo(request, service, key, media_type, row)


async def _photo(
    request: web.Request, service: Service, key: str, media_type: str, row: Row
) -> web.Response:
    headers = dict(OF_PHOTOS)
    if request.query.get("download") == "1":
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row['name'], '')}"
    payload = await service.storage.get(key)
    return PhotoResponse(payload, media_type, headers, service.admission)


def _id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError as error:
        raise NotFound() from error


def _number(request: web.Request, name: str) -> int | None:
    given = request.query.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19 and int(given)):
        raise UnknownOption(f"{name}: a whole number from 1")
    return int(given)


def _document(document: BaseModel, status: int = 200) -> web.Response:
    text = document.model_dump_json()
    return web.json_response(text=text, status=status, headers={"Cache-Control": "no-store"})
