"""A real gateway in front of a fake model server, both on real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import HttpUrl

from gateway.app import create_app
from gateway.serving import SERVER_OPTIONS
from gateway.settings import Settings
from tests.gateway.postgres import database_url, postgres
from tests.gateway.replica import Replica

__all__ = ["database_url", "postgres"]  # fixtures, known by their names

PATIENT_MS = 20_000  # few of these tests are about time, and the machine may be busy
NO_PAGE = Path("nowhere")  # built or not, the page is no matter of these tests

Gateway = Callable[..., Awaitable[aiohttp.ClientSession]]


class Clock:
    """The time as the code under test sees it; it passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def serve_on_a_free_port(stack: AsyncExitStack, app: web.Application, **options: Any) -> str:
    runner = web.AppRunner(app, shutdown_timeout=0, **options)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    """The fake model server; it serves `defects` and every enhancer."""
    fake = Replica()
    app = web.Application(client_max_size=1 << 28)
    app.router.add_post("/predictions/{model}", fake.predict)
    async with AsyncExitStack() as stack:
        fake.url = await serve_on_a_free_port(stack, app, handler_cancellation=True)
        yield fake


@pytest.fixture
async def gateway(replica: Replica) -> AsyncIterator[Gateway]:
    """Starts gateways, each with settings of its own, for instance `budget_ms=200`."""
    async with AsyncExitStack() as stack:

        async def start(**changed: Any) -> aiohttp.ClientSession:
            given = {
                "defects_url": HttpUrl(replica.url),
                "tone_url": HttpUrl(replica.url),
                "budget_ms": PATIENT_MS,
                "cache_ttl_s": 0,
                "page_dir": NO_PAGE,
            }
            app = create_app(Settings(**(given | changed)))
            url = await serve_on_a_free_port(stack, app, **SERVER_OPTIONS)
            return await stack.enter_async_context(aiohttp.ClientSession(url))

        yield start


@pytest.fixture
async def client(gateway: Gateway) -> aiohttp.ClientSession:
    """A client of a gateway with ordinary settings."""
    return await gateway()
