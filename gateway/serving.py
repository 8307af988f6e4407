"""The HTTP server around the application."""

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.app import create_app
from gateway.settings import Settings

log = logging.getLogger(__name__)

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
    """Serve until SIGTERM or SIGINT; requests in flight are then finished first."""
    logging.getLogger("aiohttp.server").addFilter(_is_ours)

    def announce(_: str) -> None:
        log.info("the gateway listens on http://%s:%d", settings.host, settings.port)

    web.run_app(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        print=announce,  # called once the port is open
        shutdown_timeout=settings.budget_ms / 1000 + settings.read_timeout_s,
        **SERVER_OPTIONS,
    )
