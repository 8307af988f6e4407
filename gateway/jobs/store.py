"""What the gateway asks of the database: orders taken, looked up, listed and deleted.

Every question names the session, so another's rows are not there at all: an id of somebody else and
one that never was take the same way and the same time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from darkroom.contracts.errors import KeyReused, NotFound, OverCapacity
from darkroom.contracts.jobs import Job, Operation
from darkroom.imaging.header import Header
from gateway.jobs.database import Connection, Database
from gateway.jobs.queue import defer_jobs
from gateway.jobs.rows import Row, to_job
from gateway.jobs.storage import original_key

CHANNEL: LiteralString = "darkroom_jobs"  # notified with a session's digest when a job changes

_JOBS: LiteralString = """
    SELECT jobs.*, photos.name, photos.media_type, photos.width, photos.height, photos.size_bytes
    FROM jobs JOIN photos ON photos.id = jobs.photo_id
"""


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


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, request: OrderRequest, most_waiting: int) -> Taken:
        """Write an order down and queue its jobs, all or nothing, and once for each key.

        Raises:
            NotFound: `source` is not there.
            KeyReused: the key was used for another request.
            OverCapacity: `most_waiting` jobs would wait.
        """
        async with self._database.transaction() as connection:
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

    async def find(self, session: bytes, id_: UUID) -> tuple[Row, ...]:
        """The rows of a job, or of all jobs of an order. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _JOBS + "WHERE jobs.session = %s AND (jobs.id = %s OR jobs.order_id = %s)"
                " ORDER BY jobs.seq",
                (session, id_, id_),
            )
            if not (found := await rows.fetchall()):
                raise NotFound()
            return tuple(found)

    async def one(self, session: bytes, job: UUID) -> Row:
        """The row of a job. Raises `NotFound`, for an order too: it has no bytes of its own."""
        row = (await self.find(session, job))[0]
        if row["id"] != job:
            raise NotFound("An order has no bytes of its own: ask for those of its jobs.")
        return row

    async def page(self, session: bytes, before: int | None, limit: int) -> list[Row]:
        """At most `limit` jobs of a session, newest first, from below the number `before`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _JOBS + "WHERE jobs.session = %s AND (%s::bigint IS NULL OR jobs.seq < %s)"
                " ORDER BY jobs.seq DESC LIMIT %s",
                (session, before, before, limit),
            )
            return [*await rows.fetchall()]

    async def changed_since(
        self, session: bytes, version: int, id_: UUID | None
    ) -> tuple[int, list[Row]]:
        """The jobs changed after a version, in the order of change, and the version reached."""
        async with self._database.transaction() as connection:
            row = await connection.execute(
                "SELECT version FROM sessions WHERE session = %s", (session,)
            )
            reached = found["version"] if (found := await row.fetchone()) else 0
            rows = await connection.execute(
                _JOBS + "WHERE jobs.session = %s AND jobs.version > %s"
                " AND (%s::uuid IS NULL OR jobs.id = %s OR jobs.order_id = %s)"
                " ORDER BY jobs.version, jobs.seq",
                (session, version, id_, id_, id_),
            )
            return reached, [*await rows.fetchall()]

    async def delete(self, session: bytes, id_: UUID) -> tuple[list[UUID], list[str]]:
        """Delete a job or an order; the jobs, and the keys of photos that nobody needs any more.

        Raises `NotFound`. A worker that is at it finds its job gone and drops what it made.
        """
        async with self._database.transaction() as connection:
            await bump(connection, session)  # nobody takes or finishes a job of it meanwhile
            rows = await connection.execute(
                "DELETE FROM jobs WHERE session = %s AND (id = %s OR order_id = %s) RETURNING id",
                (session, id_, id_),
            )
            if not (deleted := await rows.fetchall()):
                raise NotFound()
            return [row["id"] for row in deleted], await remove_unused(connection, session)

    async def counts(self) -> list[Row]:
        """By status: how many jobs there are, and the age of the oldest in seconds."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "SELECT status, count(*) AS jobs, extract(epoch FROM now() - min(created_at))"
                "::float AS oldest_s FROM jobs GROUP BY status"
            )
            return [*await rows.fetchall()]

    async def living_workers(self, within_s: float) -> int:
        """Workers that have given a sign of life."""
        async with self._database.transaction() as connection:
            row = await connection.execute(
                "SELECT count(*) AS workers FROM procrastinate_workers"
                " WHERE last_heartbeat > now() - make_interval(secs => %s)",
                (within_s,),
            )
            found = await row.fetchone()
            return int(found["workers"]) if found else 0


async def bump(connection: Connection, session: bytes) -> int:
    """The next version of a session; its row is held and listeners told at the commit."""
    row = await connection.execute(
        "INSERT INTO sessions (session, version) VALUES (%s, 1)"
        " ON CONFLICT (session) DO UPDATE SET version = sessions.version + 1 RETURNING version",
        (session,),
    )
    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, session.hex()))
    found = await row.fetchone()
    assert found is not None
    return int(found["version"])


async def remove_unused(connection: Connection, session: bytes | None) -> list[str]:
    """Delete the orders and photos without jobs, of one session or all; the photos' keys."""
    given = (session, session)
    await connection.execute(
        "DELETE FROM orders WHERE (%s::bytea IS NULL OR session = %s)"
        " AND NOT EXISTS (SELECT FROM jobs WHERE jobs.order_id = orders.id)",
        given,
    )
    rows = await connection.execute(
        "DELETE FROM photos WHERE (%s::bytea IS NULL OR session = %s)"
        " AND NOT EXISTS (SELECT FROM jobs WHERE jobs.photo_id = photos.id) RETURNING id",
        given,
    )
    return [original_key(row["id"]) for row in await rows.fetchall()]


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
        _JOBS + "WHERE jobs.session = %s AND jobs.order_id = %s ORDER BY jobs.seq",
        (session, order),
    )
    return tuple(to_job(row) for row in await rows.fetchall())
