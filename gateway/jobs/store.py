"""What the gateway asks of the database: jobs looked up, listed, counted and deleted.

Every question names the session, so another's rows are not there at all: an id of somebody else and
one that never was take the same way and the same time.
"""

from uuid import UUID

from darkroom.contracts.errors import NotFound
from gateway.jobs.database import Connection, Database
from gateway.jobs.rows import JOBS, Row
from gateway.jobs.sessions import bump
from gateway.jobs.storage import original_key


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, session: bytes, id_: UUID) -> tuple[Row, ...]:
        """The rows of a job, or of all jobs of an order. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                JOBS + "WHERE jobs.session = %s AND (jobs.id = %s OR jobs.order_id = %s)"
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
                JOBS + "WHERE jobs.session = %s AND (%s::bigint IS NULL OR jobs.seq < %s)"
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
                JOBS + "WHERE jobs.session = %s AND jobs.version > %s"
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
