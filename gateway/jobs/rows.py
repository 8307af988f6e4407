"""Rows of the database as the documents that clients read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from darkroom.contracts.jobs import (
    JOBS_ROUTE,
    Job,
    JobError,
    JobStatus,
    JobTimings,
    Operation,
    Order,
    OrderProgress,
)

Row = Mapping[str, Any]

# Of jobs with their photos, as `to_job` takes them.
JOBS: LiteralString = """
    SELECT jobs.*, photos.name, photos.media_type, photos.width, photos.height, photos.size_bytes
    FROM jobs JOIN photos ON photos.id = jobs.photo_id
"""


def to_job(row: Row) -> Job:
    """A row of `jobs` joined with its photo's."""
    status, operation = JobStatus(row["status"]), Operation(row["operation"])
    here = f"{JOBS_ROUTE}/{row['id']}"
    result = f"{here}/result" if status is JobStatus.COMPLETED else None
    failed = status is JobStatus.FAILED
    return Job(
        id=row["id"],
        order_id=row["order_id"],
        status=status,
        operation=operation,
        options=row["options"],
        name=row["name"],
        media_type=row["media_type"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        attempts=row["attempts"],
        original_url=f"{here}/original",
        result_url=result,
        colorized_url=result if operation is Operation.COLORIZE else None,
        changed=row["changed"],
        report=row["report"],
        timings=JobTimings(
            waiting_ms=_ms(row["created_at"], row["started_at"]),
            working_ms=_ms(row["started_at"], row["finished_at"]),
        ),
        error=JobError(code=row["error_code"], detail=row["error_detail"]) if failed else None,
    )


def to_order(order: UUID, jobs: Sequence[Job]) -> Order:
    """All jobs of an order, in the order of their upload; there is at least one."""
    return Order(**dict(to_progress(order, jobs)), images=tuple(jobs))


def to_progress(order: UUID, jobs: Sequence[Job]) -> OrderProgress:
    counts = Counter(job.status for job in jobs)
    if counts[JobStatus.PENDING] == len(jobs):
        status = JobStatus.PENDING
    elif counts[JobStatus.PENDING] + counts[JobStatus.PROCESSING]:
        status = JobStatus.PROCESSING
    else:
        status = JobStatus.COMPLETED if counts[JobStatus.COMPLETED] else JobStatus.FAILED
    return OrderProgress(
        id=order,
        status=status,
        created_at=min(job.created_at for job in jobs),
        total=len(jobs),
        **{each.value: counts[each] for each in JobStatus},
    )


def _ms(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() * 1000
