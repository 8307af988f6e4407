"""Orders taken: written down and queued in one transaction, once for each key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from darkroom.contracts.errors import KeyReused, NotFound, OverCapacity
from darkroom.contracts.jobs import Job, Operation
from darkroom.imaging.header import Header
from gateway.jobs.database import Connection, Database
from gateway.jobs.queue import defer_jobs
from gateway.jobs.rows import JOBS, to_job
from gateway.jobs.sessions import bump


@dataclass(frozen=True)
class Photo:
    """A photo whose bytes are in storage already."""

    id: UUID
    name: str
    header: Header
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True)
class OrderRequest:
    """What a client wants to be done, to new photos or to those of earlier jobs."""

    session: bytes  # the digest
    operation: Operation
    options: dict[str, Any]
    photos: tuple[Photo, ...] = ()
    source: UUID | None = None
    webhook: str | None = None
    key: str | None = None

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal requests: a key may be used again for those only."""
        words = (self.operation, sorted(self.options.items()), self.source, self.webhook)
        contents = b"".join(photo.sha256 for photo in self.photos)
        return hashlib.sha256(repr(words).encode() + contents).digest()


@dataclass(frozen=True)
class Taken:
    """An order in the database; `is_new` is false where its key was known."""

    order: UUID
    jobs: tuple[Job, ...]
    is_new: bool


async def take_order(database: Database, request: OrderRequest, most_waiting: int) -> Taken:
    """Write an order down and queue its jobs, all or nothing, and once for each key.

    Raises:
        NotFound: `source` is not there.
        KeyReused: the key was used for another request.
        OverCapacity: `most_waiting` jobs would wait.
    """
    async with database.transaction() as connection:
        version = await bump(connection, request.session)  # so equal posts come one by one
        if known := await _order_of_key(connection, request):
            return Taken(known, await _jobs_of(connection, request.session, known), False)
        photos = await _photos(connection, request)
        ahead = await _expect_room(connection, request.session, len(photos), most_waiting)
        order = uuid4()
        await connection.execute(
            "INSERT INTO orders (id, session, idempotency_key, fingerprint, webhook)"
            " VALUES (%s, %s, %s, %s, %s)",
            (order, request.session, request.key, request.fingerprint, request.webhook),
        )
        jobs = [uuid4() for _ in photos]
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO jobs (id, order_id, photo_id, session, version, operation,"
                " options) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (id_, order, photo, request.session, version, request.operation,
                     Jsonb(request.options))
                    for id_, photo in zip(jobs, photos, strict=True)
                ],
            )  # fmt: skip
        await defer_jobs(connection, jobs, ahead)
        return Taken(order, await _jobs_of(connection, request.session, order), True)


async def _order_of_key(connection: Connection, request: OrderRequest) -> UUID | None:
    row = await connection.execute(
        "SELECT id, fingerprint FROM orders WHERE session = %s AND idempotency_key = %s",
        (request.session, request.key),
    )
    if (found := await row.fetchone()) is None:
        return None
    if bytes(found["fingerprint"]) != request.fingerprint:
        raise KeyReused()
    order: UUID = found["id"]
    return order


async def _photos(connection: Connection, request: OrderRequest) -> Sequence[UUID]:
    """The photos to work on: those just sent, written down here, or those of `source`."""
    if request.source is None:
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO photos (id, session, name, media_type, width, height, size_bytes)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (p.id, request.session, p.name, p.header.format.media_type,
                     *p.header.upright_size, p.size_bytes)
                    for p in request.photos
                ],
            )  # fmt: skip
        return [photo.id for photo in request.photos]
    rows = await connection.execute(
        "SELECT photo_id FROM jobs WHERE session = %s"
        " AND (id = %s OR order_id = %s) ORDER BY seq FOR SHARE",
        (request.session, request.source, request.source),
    )
    if not (found := await rows.fetchall()):
        raise NotFound("There is no job or order to run again under `source`.")
    return [row["photo_id"] for row in found]


async def _expect_room(
    connection: Connection, session: bytes, coming: int, most_waiting: int
) -> int:
    """How many jobs of the session wait already. Raises `OverCapacity`."""
    row = await connection.execute(
        "SELECT count(*) AS waiting, count(*) FILTER (WHERE session = %s) AS ours FROM jobs"
        " WHERE status IN ('pending', 'processing')",
        (session,),
    )
    found = await row.fetchone()
    assert found is not None
    if found["waiting"] + coming > most_waiting:
        raise OverCapacity("Too many jobs are waiting; try again later.")
    return int(found["ours"])


async def _jobs_of(connection: Connection, session: bytes, order: UUID) -> tuple[Job, ...]:
    rows = await connection.execute(
        JOBS + "WHERE jobs.session = %s AND jobs.order_id = %s ORDER BY jobs.seq",
        (session, order),
    )
    return tuple(to_job(row) for row in await rows.fetchall())
