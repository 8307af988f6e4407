"""The HTTP server around the application."""

import asyncio
import logging
import signal
from typing import Any

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.answering import LEAVING
from gateway.app import create_app
from gateway.connections import Runner
from gateway.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 1024  # connections that may wait to be taken; what is over it is lost for a second

SERVER_OPTIONS: dict[str, Any] = {
    "access_log": None,  # a line for each request costs more than it tells; see /metrics
    "auto_decompress": False,  # encoded bodies are refused, so nobody needs to inflate them
    "handler_cancellation": True,  # a client that hangs up frees its place
    "keepalive_timeout": 75,
    "lingering_time": 1,  # seconds a refused upload may go on, so that its sender reads why
    "read_bufsize": 1 << 20,  # fewer wake-ups while a photo arrives
}


def _is_ours(record: logging.LogRecord) -> bool:
    """What strangers send that is no HTTP gets 400; its traceback would say nothing of us."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Then first say at `/readyz` that it is over, for as long as others take to notice; then take no
    more connections and finish what is in hand. Raises OSError where the port cannot be had.
    """
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    # A seventh more photos a core than by asyncio's own loop.
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(settings)
    finish_s = settings.budget_ms / 1000 + settings.read_timeout_s
    options = {"shutdown_timeout": finish_s, **SERVER_OPTIONS}
    runner = Runner(app, settings.read_timeout_s, options)
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG).start()
        log.info("the gateway listens on http://%s:%d", settings.host, settings.port)
        await stop.wait()
        app[LEAVING].set()
        await asyncio.sleep(settings.drain_s)
    finally:
        await runner.cleanup()
