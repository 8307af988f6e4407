"""A real PostgreSQL, a gateway that takes jobs, and workers, in this process or as their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest
from psycopg.rows import dict_row

from darkroom.contracts.jobs import SESSION_HEADER
from gateway.app import create_app
from gateway.jobs.worker import JobWorker
from gateway.serving import SERVER_OPTIONS
from gateway.settings import Settings
from tests.gateway.conftest import NO_PAGE, PATIENT_MS, serve_on_a_free_port
from tests.gateway.photos import a_form, a_photo

ROOT = Path(__file__).parents[3]
UNFINISHED = ("pending", "processing")
QUICK = {"stalled_after_s": 3.0, "job_budget_ms": 5000}


@dataclass
class Jobs:
    """A client of `/api/images` with a session of its own, and what lies behind."""

    url: str
    settings: Settings
    http: aiohttp.ClientSession
    session: str = field(default_factory=lambda: uuid4().hex)

    @property
    def headers(self) -> dict[str, str]:
        return {SESSION_HEADER: self.session}

    def other_session(self) -> "Jobs":
        return Jobs(self.url, self.settings, self.http)

    async def call(self, method: str, path: str = "", **given: Any) -> tuple[int, Any]:
        """(status, JSON or bytes) of a request under /api/images."""
        headers = self.headers | given.pop("headers", {})
        url = f"{self.url}/api/images{path}"
        async with self.http.request(method, url, headers=headers, **given) as reply:
            is_json = reply.content_type.endswith("json")
            return reply.status, await (reply.json() if is_json else reply.read())

    async def submit(self, photo: bytes | None = None, key: str = "", **fields: str) -> Any:
        """Post one photo and expect a job."""
        form = a_form(file=photo or a_photo(), **fields)
        headers = {"Idempotency-Key": key} if key else {}
        status, job = await self.call("POST", data=form, headers=headers)
        assert status in (200, 201), job
        return job

    async def get(self, path: str) -> Any:
        status, answer = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def ended(self, id_: str, within_s: float = 180) -> Any:
        """The job or order once it has ended."""
        async with asyncio.timeout(within_s):
            while (found := await self.get(f"/{id_}"))["status"] in UNFINISHED:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return found

    def objects(self) -> list[Path]:
        """All that lies in storage."""
        return [path for path in self.settings.photos_folder.rglob("*") if path.is_file()]

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.settings.database_url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]


StartJobs = Callable[..., Awaitable[Jobs]]


@pytest.fixture
async def start_jobs(replica, database_url, tmp_path) -> AsyncIterator[StartJobs]:
    """Starts a gateway with settings of the test's own."""
    async with AsyncExitStack() as stack:

        async def start(**changed: Any) -> Jobs:
            given: dict[str, Any] = {
                "defects_url": replica.url,
                "tone_url": replica.url,
                "budget_ms": PATIENT_MS,
                "cache_ttl_s": 0,
                "page_dir": NO_PAGE,
                "database_url": database_url,
                "data_folder": tmp_path / "data",
            }
            settings = Settings(**(given | QUICK | changed))
            url = await serve_on_a_free_port(stack, create_app(settings), **SERVER_OPTIONS)
            settings = settings.model_copy(update={"gateway_url": url})
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return Jobs(url, settings, http)

        yield start


@pytest.fixture
async def jobs(start_jobs: StartJobs) -> Jobs:
    """A gateway with ordinary settings."""
    return await start_jobs()


@pytest.fixture
async def work() -> AsyncIterator[Callable[[Jobs], JobWorker]]:
    """Starts workers in this process; they are stopped at the end."""
    tasks: list[tuple[JobWorker, asyncio.Task[None]]] = []

    def start(jobs: Jobs, **changed: Any) -> JobWorker:
        worker = JobWorker(jobs.settings.model_copy(update=changed), jobs.http)
        tasks.append((worker, asyncio.create_task(worker.run())))
        return worker

    yield start
    for worker, _ in tasks:
        worker.stop()
    await asyncio.gather(*(task for _, task in tasks))


@pytest.fixture
def start_process() -> Iterator[Callable[[Jobs], subprocess.Popen[bytes]]]:
    """Starts workers as processes of their own, which may be killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(jobs: Jobs) -> subprocess.Popen[bytes]:
        told = {
            f"DARKROOM_{name.upper()}": str(getattr(jobs.settings, name))
            for name in ("database_url", "data_folder", "gateway_url", "job_attempts", *QUICK)
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.jobs.worker"],
            cwd=ROOT,
            env=os.environ | told,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
