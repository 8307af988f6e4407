"""One try of a job: the photo goes through the gateway's own routes, what comes back is kept."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
from pydantic import ValidationError

from darkroom.contracts import headers
from darkroom.contracts.errors import JobsUnavailable, NotFound
from darkroom.contracts.jobs import JOB_PRIORITY, JobError, Operation
from darkroom.contracts.problem import Problem
from darkroom.contracts.report import Report
from gateway.jobs.progress import Progress, Result, Try
from gateway.jobs.storage import Storage, original_key, result_key

ROUTE_OF = {
    Operation.ENHANCE: "/enhance_image",
    Operation.COLORIZE: "/colorize",
    Operation.FIX_DEFECT: "/fix_defect",
}
GRACE_S = 15.0  # on top of the budget: while clients are about, and the photo's own way
_PASSING = {408, 429, 500, 502, 503, 504}  # what the same request may not meet again
_PATIENCE_S = (0.5, 1, 2, 4, 8)
_AS_BYTES = "application/octet-stream"  # the gateway looks at the content


class TryAgain(Exception):
    """This try failed in a way that the next may not."""


@dataclass(frozen=True)
class Limits:
    """How much is spent on a job."""

    budget_ms: int
    attempts: int


class Performer:
    """Performs jobs, one call each; any number may run at the same time."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        gateway_url: str,
        progress: Progress,
        storage: Storage,
        limits: Limits,
    ) -> None:
        self._session = session
        self._gateway_url = gateway_url.rstrip("/")
        self._progress = progress
        self._storage = storage
        self._limits = limits

    async def perform(self, job: UUID) -> None:
        """Bring a job a step further: to its end, or back to waiting.

        A job that has ended or was deleted is left alone, so to perform one twice does no harm.

        Raises:
            TryAgain: the next try may go better.
            JobsUnavailable: the database or the storage is away.
        """
        begun = await self._progress.begin(job)
        if begun is None:
            return
        if begun.number > self._limits.attempts:  # earlier tries left no word: their worker died
            reason = f"Given up: {begun.number - 1} workers ended while they worked on it."
            await self._progress.fail(begun, JobError(code="gave_up", detail=reason))
            return
        try:
            ending = await self._attempt(begun)
        except NotFound:
            ending = JobError(code="photo_lost", detail="The photo's bytes are gone.")
        except TryAgain as error:
            if begun.number < self._limits.attempts:
                await self._progress.step_back(begun)
                raise
            code, detail = error.args
            ending = JobError(code=code, detail=f"{detail} ({begun.number} tries)")
        await self._write_down(begun, ending)

    async def _write_down(self, begun: Try, ending: Result | JobError) -> None:
        """Keep an ending that has cost work, even if the database is away for a moment."""
        for pause_s in _PATIENCE_S:
            try:
                return await self._end(begun, ending)
            except JobsUnavailable:
                await asyncio.sleep(pause_s)
        return await self._end(begun, ending)

    async def _end(self, begun: Try, ending: Result | JobError) -> None:
        if isinstance(ending, JobError):
            await self._progress.fail(begun, ending)
        elif not await self._progress.complete(begun, ending) and ending.key is not None:
            await self._storage.delete([ending.key])  # deleted meanwhile, or another was faster

    async def _attempt(self, begun: Try) -> Result | JobError:
        photo = await self._storage.get(original_key(begun.photo))
        options = {"budget_ms": self._limits.budget_ms} | begun.options
        budget_s = int(options["budget_ms"]) / 1000
        try:
            async with self._session.post(
                self._gateway_url + ROUTE_OF[begun.operation],
                params={name: _in_query(value) for name, value in options.items()},
                data=photo,
                headers={
                    "Content-Type": _AS_BYTES,
                    headers.PRIORITY: JOB_PRIORITY,
                    headers.REQUEST_ID: f"{begun.job}.{begun.number}",
                },
                timeout=aiohttp.ClientTimeout(total=budget_s + GRACE_S),
            ) as reply:
                body = await reply.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TryAgain("no_gateway", f"The gateway did not answer: {error!r}"[:200]) from error
        if reply.status in (200, 204):
            return await self._kept(begun, reply, body)
        code, detail = _refusal(reply.status, body)
        if reply.status in _PASSING:
            raise TryAgain(code, detail)
        return JobError(code=code, detail=detail)

    async def _kept(self, begun: Try, reply: aiohttp.ClientResponse, body: bytes) -> Result:
        try:
            report = Report.model_validate_json(reply.headers.get(headers.REPORT, ""))
        except ValidationError:
            told: dict[str, Any] | None = None
        else:
            told = report.model_dump(mode="json")
        if reply.status == 204:
            return Result(None, None, told)
        key = result_key(begun.job, begun.number)
        await self._storage.put(key, body)
        return Result(key, reply.content_type, told)


def _in_query(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _refusal(status: int, body: bytes) -> tuple[str, str]:
    """(code, detail) of the problem document."""
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        return "internal", f"The gateway answered HTTP {status}."
    return problem.code, problem.detail
