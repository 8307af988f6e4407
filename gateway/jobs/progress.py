"""What a worker writes down: a try begun, and how it ended.

Each try has a number. Only the latest may end a job, so that a worker that was thought dead and a
second one that took over cannot both store a result.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from darkroom.contracts.jobs import JobError, Operation
from gateway.jobs.database import Connection, Database
from gateway.jobs.queue import defer_telling
from gateway.jobs.rows import Row
from gateway.jobs.sessions import bump


@dataclass(frozen=True)
class Try:
    """A try begun: what to do with which photo."""

    job: UUID
    number: int  # from 1
    photo: UUID
    operation: Operation
    options: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a try brought; no key where nothing needed mending."""

    key: str | None
    media_type: str | None
    report: dict[str, Any] | None


class Progress:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job: UUID) -> Try | None:
        """Begin the next try; None where the job has ended or is gone."""
        async with self._database.transaction() as connection:
            if await _hold(connection, job) is None:
                return None
            row = await connection.execute(
                "UPDATE jobs SET status = 'processing', attempts = attempts + 1,"
                " started_at = clock_timestamp(), version ="
                " (SELECT version FROM sessions WHERE sessions.session = jobs.session)"
                " WHERE id = %s AND status IN ('pending', 'processing')"
                " RETURNING attempts, photo_id, operation, options",
                (job,),
            )
            if (found := await row.fetchone()) is None:
                return None
            operation = Operation(found["operation"])
            return Try(job, found["attempts"], found["photo_id"], operation, found["options"])

    async def complete(self, begun: Try, result: Result) -> bool:
        """Store the result; false where this try is no longer the job's latest."""
        return await self._end(
            begun,
            {
                "status": "completed",
                "result_key": result.key,
                "result_media_type": result.media_type,
                "changed": result.key is not None,
                "report": Jsonb(result.report),
            },
        )

    async def fail(self, begun: Try, error: JobError) -> bool:
        """The job ends here, with its reason; false as above."""
        told = {"error_code": error.code, "error_detail": error.detail[:500]}
        return await self._end(begun, {"status": "failed", **told})

    async def step_back(self, begun: Try) -> None:
        """The job waits for its next try."""
        async with self._database.transaction() as connection:
            if await _hold(connection, begun.job) is not None:
                await connection.execute(
                    "UPDATE jobs SET status = 'pending', version ="
                    " (SELECT version FROM sessions WHERE sessions.session = jobs.session)"
                    " WHERE id = %s AND attempts = %s AND status = 'processing'",
                    (begun.job, begun.number),
                )

    async def _end(self, begun: Try, values: dict[str, Any]) -> bool:
        given = {"status": None, "changed": None, "report": None, "result_key": None}
        given |= {"result_media_type": None, "error_code": None, "error_detail": None}
        given |= values | {"id": begun.job, "attempts": begun.number}
        async with self._database.transaction() as connection:
            if await _hold(connection, begun.job) is None:
                return False
            row = await connection.execute(
                "UPDATE jobs SET status = %(status)s, changed = %(changed)s,"
                " report = %(report)s, result_key = %(result_key)s,"
                " result_media_type = %(result_media_type)s, error_code = %(error_code)s,"
                " error_detail = %(error_detail)s, finished_at = clock_timestamp(), version ="
                " (SELECT version FROM sessions WHERE sessions.session = jobs.session)"
                " WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'processing'"
                " RETURNING order_id",
                given,
            )
            if (found := await row.fetchone()) is None:
                return False
            await _tell_if_last(connection, found["order_id"])
            return True


async def _hold(connection: Connection, job: UUID) -> int | None:
    """Take the job's session to its next version; None where the job is gone."""
    row = await connection.execute("SELECT session FROM jobs WHERE id = %s", (job,))
    found: Row | None = await row.fetchone()
    return None if found is None else await bump(connection, bytes(found["session"]))


async def _tell_if_last(connection: Connection, order: UUID) -> None:
    """Queue the order's webhook in the transaction that ends its last job."""
    row = await connection.execute(
        "SELECT webhook FROM orders WHERE id = %s AND webhook IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM jobs WHERE order_id = orders.id AND status IN ('pending', 'processing'))",
        (order,),
    )
    if await row.fetchone() is not None:
        await defer_telling(connection, order)
