"""The routes of jobs as the application knows them; what answers them is loaded at the first use.

The driver of the database and the rest cost a third of a second and some memory, which a gateway
that takes no jobs should not pay. No session, no answer: that is checked here too.
"""

import asyncio
import contextlib
import hashlib
import importlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry

from darkroom.contracts.errors import JobsUnavailable, NoSession
from darkroom.contracts.jobs import JOBS_ROUTE, SESSION_HEADER, SESSION_PARAMETER
from gateway.admission import Admission
from gateway.jobs.metrics import JobMetrics
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.jobs.service import Service

Answer = Callable[[web.Request, "Service", bytes], Awaitable[web.StreamResponse]]

ROUTES = (  # method, path, function in `gateway.jobs.routes`
    ("POST", JOBS_ROUTE, "take"),
    ("GET", JOBS_ROUTE, "listing"),
    ("GET", f"{JOBS_ROUTE}/events", "session_events"),
    ("GET", f"{JOBS_ROUTE}/{{id}}", "look"),
    ("DELETE", f"{JOBS_ROUTE}/{{id}}", "delete"),
    ("GET", f"{JOBS_ROUTE}/{{id}}/events", "job_events"),
    ("GET", f"{JOBS_ROUTE}/{{id}}/original", "original"),
    ("GET", f"{JOBS_ROUTE}/{{id}}/result", "result"),
)
STATE_S = 0.5  # whoever asks for the state waits no longer: probes are impatient
_SESSION = re.compile(r"[A-Za-z0-9._~:-]{1,128}")


class Jobs:
    """Opens the service of jobs once somebody needs it, and closes it with the application."""

    def __init__(self, settings: Settings, admission: Admission) -> None:
        self._settings = settings
        self._admission = admission
        self._service: Service | None = None
        self._opening = asyncio.Lock()
        self._looking: asyncio.Task[dict[str, str]] | None = None
        self.metrics = JobMetrics()

    async def service(self) -> "Service":
        """Raise `JobsUnavailable` where the packages for jobs are not installed."""
        async with self._opening:
            if self._service is None:
                try:
                    await asyncio.to_thread(importlib.import_module, "gateway.jobs.routes")
                except ImportError as error:
                    message = "This gateway takes no jobs: pip install 'darkroom[jobs]'."
                    raise JobsUnavailable(message) from error
                from gateway.jobs.service import Service

                self._service = Service(self._settings, self._admission)
            return self._service

    async def state(self) -> dict[str, str]:
        """`ok` or the code of what is wrong, for the database and the workers; empty: no jobs."""
        if not self._is_configured:
            return {}
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        # A look that takes longer goes on: the first of all opens the service.
        done, _ = await asyncio.wait({self._looking}, timeout=STATE_S)
        return self._looking.result() if done else _away(JobsUnavailable.code)

    async def _look(self) -> dict[str, str]:
        try:
            service = await self.service()
            workers = await service.store.living_workers(self._settings.stalled_after_s)
        except JobsUnavailable as error:
            return _away(error.code)
        return {"database": "ok", "worker": "ok" if workers else "no_worker"}

    async def count(self) -> None:
        """Count the jobs anew for `metrics`."""
        self.metrics.counts = None
        if self._is_configured:
            with contextlib.suppress(JobsUnavailable):
                service = await self.service()
                self.metrics.counts = await service.store.counts()

    @property
    def _is_configured(self) -> bool:
        settings = self._settings
        return bool(settings.database_url) or settings.database_folder.exists()

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`."""
        yield
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._service is not None:
            await self._service.close()

    async def end_streams(self, _: web.Application) -> None:
        """For `on_shutdown`: streams of events would outlast every other request."""
        if self._service is not None:
            self._service.changes.end()


def _away(code: str) -> dict[str, str]:
    return dict.fromkeys(("database", "worker"), code)


JOBS = web.AppKey("jobs", Jobs)


def add_jobs(
    app: web.Application, settings: Settings, admission: Admission, registry: CollectorRegistry
) -> None:
    """Make the routes of jobs part of an application."""
    app[JOBS] = Jobs(settings, admission)
    registry.register(app[JOBS].metrics)
    for method, path, name in ROUTES:
        app.router.add_route(method, path, answered_by("gateway.jobs.routes", name))
    app.cleanup_ctx.append(app[JOBS].run)
    app.on_shutdown.append(app[JOBS].end_streams)


def answered_by(module: str, name: str) -> Handler:
    """Hand requests with a session to a function of a module that is imported then."""

    async def handle(request: web.Request) -> web.StreamResponse:
        session = session_of(request)
        service = await request.app[JOBS].service()
        answer = getattr(importlib.import_module(module), name)
        return await cast(Answer, answer)(request, service, session)

    return handle


def session_of(request: web.Request) -> bytes:
    """The session, from the header or, for GET, from the query, as it is kept: its SHA-256.

    Raises `NoSession`. What lies in the database lets nobody in.
    """
    given = request.headers.get(SESSION_HEADER)
    if given is None and request.method == "GET":
        given = request.query.get(SESSION_PARAMETER)
    if given is None or not _SESSION.fullmatch(given):
        raise NoSession()
    return hashlib.sha256(given.encode()).digest()
