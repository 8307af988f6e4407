"""The HTTP server around the application."""

import logging
from typing import Any

from aiohttp import web

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


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are then finished first."""

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
