"""The queue, procrastinate's, in the same database: jobs enter it together with their rows."""

import json
from collections.abc import Sequence
from uuid import UUID

from gateway.jobs.database import Connection

PERFORM = "perform"  # names of tasks, as they stand in the queue
TELL = "tell"
FORGET = "forget"
QUEUE = "jobs"
_LEAST_PRIORITY = -10_000
_TELLING_PRIORITY = 1  # a webhook goes out before the next photo


async def defer_jobs(connection: Connection, jobs: Sequence[UUID], waiting: int) -> None:
    """Queue jobs of a session that has so many waiting already.

    Each further job of a session stands one step further back, so that a single photo of one
    session passes between the thousand of another.
    """
    await _defer(
        connection,
        [
            (PERFORM, max(_LEAST_PRIORITY, -(waiting + place)), {"job": str(job)})
            for place, job in enumerate(jobs)
        ],
    )


async def defer_telling(connection: Connection, order: UUID) -> None:
    """Queue the webhook of an order."""
    await _defer(connection, [(TELL, _TELLING_PRIORITY, {"order": str(order)})])


async def _defer(connection: Connection, tasks: Sequence[tuple[str, int, dict[str, str]]]) -> None:
    # The function is procrastinate's interface for other languages, versioned by its name: the
    # gateway need not import the package.
    await connection.execute(
        "SELECT procrastinate_defer_jobs_v1(array_agg("
        "ROW(%s, task, priority, NULL, NULL, args, NULL)::procrastinate_job_to_defer_v1"
        " ORDER BY place))"
        " FROM unnest(%s::text[], %s::int[], %s::jsonb[]) WITH ORDINALITY"
        " AS tasks(task, priority, args, place)",
        (
            QUEUE,
            [task for task, _, _ in tasks],
            [priority for _, priority, _ in tasks],
            [json.dumps(args) for _, _, args in tasks],
        ),
    )
