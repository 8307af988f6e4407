"""The Python client of jobs: photos handed over now and fetched later.

    async with AsyncJobs("http://127.0.0.1:9000", session="…") as jobs:
        job = await jobs.submit("attic.jpg", operation="colorize")
        ended = await jobs.ended(job)
        photo = await jobs.result(ended)

Every refusal is raised as the same `ServiceError` that the service answered with.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from darkroom.contracts.jobs import (
    FILE_FIELD,
    IDEMPOTENCY_HEADER,
    JOBS_ROUTE,
    Job,
    JobList,
    Operation,
)
from darkroom.session import SessionClient

_AGAIN_S = 1.0  # between looks, while a stream of events is not to be had


class AsyncJobs(SessionClient):
    """The jobs of one session; one object serves many calls at once."""

    async def submit(
        self,
        photo: Path | str,
        operation: Operation | str = Operation.ENHANCE,
        options: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> Job:
        """Hand a photo over. Under the same `key` it is taken once, however often this is called.

        Raises:
            ServiceError: the service refused; the class says why.
            Unreachable: there is no service at this address.
            OSError: the photo's file cannot be read.
        """
        path = Path(photo)
        payload = await asyncio.to_thread(path.read_bytes)
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("operation", str(operation))
        for name, value in (options or {}).items():
            form.add_field(name, str(value))
        form.add_field(FILE_FIELD, io.BytesIO(payload), filename=path.name)
        keyed = {IDEMPOTENCY_HEADER: key} if key else {}
        return Job.model_validate_json(await self.call("POST", JOBS_ROUTE, data=form, told=keyed))

    async def job(self, id_: UUID) -> Job:
        """A job as it is now. Raises as `submit` does."""
        return Job.model_validate_json(await self.call("GET", f"{JOBS_ROUTE}/{id_}"))

    async def page(self, before: str | None = None) -> JobList:
        """The session's jobs, newest first. Raises as `submit` does."""
        given = {"before": before} if before else {}
        return JobList.model_validate_json(await self.call("GET", JOBS_ROUTE, params=given))

    async def ended(self, job: Job) -> Job:
        """The job once it has ended, however long that takes. Raises as `submit` does."""
        while not job.status.is_final:
            async for changed in self._events(job.id):
                if changed.status.is_final:
                    return changed
            await asyncio.sleep(_AGAIN_S)
            job = await self.job(job.id)
        return job

    async def result(self, job: Job) -> bytes:
        """The photo as it came back. Raises `NotFinished` before that, else as `submit` does."""
        return await self.call("GET", f"{JOBS_ROUTE}/{job.id}/result")

    async def delete(self, id_: UUID) -> None:
        """Delete a job or an order. Raises as `submit` does."""
        await self.call("DELETE", f"{JOBS_ROUTE}/{id_}")

    async def _events(self, id_: UUID) -> AsyncIterator[Job]:
        """The job as it changes, until the stream ends or breaks."""
        url = f"{self._transport.url}{JOBS_ROUTE}/{id_}/events"
        forever = aiohttp.ClientTimeout(total=None, sock_read=60)
        try:
            async with self._transport.session.get(
                url, headers=self._headers, timeout=forever
            ) as reply:
                name = ""
                async for line in reply.content:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data" and name == "job":
                        yield Job.model_validate(json.loads(value))
        except (aiohttp.ClientError, TimeoutError):
            return
