"""Jobs: photos handed over to be worked on later, as `/api/images` speaks of them.

The keys on the wire are camelCase here, as the clients of these routes read them; the report keeps
its own. A *job* is one photo and one operation; an *order* is all jobs of one upload.

    POST   /api/images        a form: `file` (repeatable), `operation`, that operation's options,
                              `webhook`; `source`, the id of a job or order, instead of files runs
                              them again → 201 `Job` for one photo, `Order` for many; 200 where the
                              Idempotency-Key is known
    GET    /api/images        ?limit=1…200&before=… → `JobList`
    GET    /api/images/{id}   → `Job`, or `Order` for an order's id
    DELETE /api/images/{id}   → 204; bytes and rows are gone
    GET    /api/images/{id}/original, …/result   the bytes; ?download=1 for a file to save
    GET    /api/images/{id}/events               what happens to a job or order
    GET    /api/images/events                    to all of the session

Addresses in answers are relative and without the session. The streams are server-sent events, each
with an `id` to hand back as `Last-Event-ID`:

    event: job     data: `Job`, whenever its status has changed, and once at the start
    event: order   data: `OrderProgress`, after each job of it
    event: end     data: {}: the job or order will not change any more; close the stream
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from darkroom.contracts.options import (
    ColorizeOptions,
    DiagnoseOptions,
    EnhanceOptions,
    FixDefectOptions,
)

# 1…128 of A–Z a–z 0–9 . _ ~ : -, best a random UUID: it is a secret.
SESSION_HEADER = "X-Session-ID"
SESSION_PARAMETER = "session"  # the same in the query, where a browser can send no header
IDEMPOTENCY_HEADER = "Idempotency-Key"
SIGNATURE_HEADER = "X-Darkroom-Signature"  # of a webhook: t=<unix seconds>,v1=<hex>
JOB_PRIORITY = "job"  # of a worker's requests (`headers.PRIORITY`)
JOBS_ROUTE = "/api/images"
FILE_FIELD = "file"  # repeatable: many files are one order


class Operation(StrEnum):
    """What is done to a photo."""

    ENHANCE = "enhance"
    COLORIZE = "colorize"
    FIX_DEFECT = "fix_defect"


OPTIONS_OF: dict[Operation, type[DiagnoseOptions]] = {
    Operation.ENHANCE: EnhanceOptions,
    Operation.COLORIZE: ColorizeOptions,
    Operation.FIX_DEFECT: FixDefectOptions,
}


class JobStatus(StrEnum):
    """pending → processing → completed or failed; back to pending where a try is repeated."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)


class Wire(BaseModel):
    """camelCase on the wire, snake_case here."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class JobError(Wire):
    """Why a job failed: the code and detail of the problem document it ended with."""

    code: str
    detail: str = ""


class JobTimings(Wire):
    """Milliseconds from step to step; None for what has not happened yet."""

    waiting_ms: float | None = Field(default=None, description="from the upload to the last try")
    working_ms: float | None = Field(default=None, description="of the last try")


class Job(Wire):
    """One photo and what becomes of it."""

    id: UUID
    order_id: UUID
    status: JobStatus
    operation: Operation
    options: dict[str, Any] = Field(description="as they were given")
    name: str = Field(description="the file's name as it was sent: show it as text")
    media_type: str
    width: int = Field(description="pixels, as a viewer sees the photo")
    height: int
    size_bytes: int
    created_at: datetime
    finished_at: datetime | None = None
    attempts: int = Field(default=0, description="tries begun")
    original_url: str = Field(description=f"needs the session, as header or `{SESSION_PARAMETER}`")
    result_url: str | None = Field(default=None, description="once completed")
    colorized_url: str | None = Field(default=None, description="`resultUrl` of a colorization")
    changed: bool | None = Field(
        default=None, description="false: nothing needed mending, the result is the original"
    )
    report: dict[str, Any] | None = Field(default=None, description="`Report` of the result")
    timings: JobTimings = JobTimings()
    error: JobError | None = None


class OrderProgress(Wire):
    """How far an order is."""

    id: UUID
    status: JobStatus = Field(
        description="completed: all ended, at least one well; failed: all did"
    )
    created_at: datetime
    total: int
    pending: int
    processing: int
    completed: int
    failed: int


class Order(OrderProgress):
    """All jobs of one upload; they may be asked for and deleted under the order's id too."""

    images: tuple[Job, ...] = Field(description="in the order of the upload")


class JobList(Wire):
    """The jobs of a session, newest first."""

    images: tuple[Job, ...]
    next: str | None = Field(default=None, description="`before` of the next page, if there is one")
