"""Slow clients: a connection may take as long as it likes only while it does something.

aiohttp waits for the head of a request as long as for the next request, and for the reader of an
answer for ever. A few hundred connections that trickle would hold sockets and answers until
somebody notices, so each is looked at from time to time, between it and aiohttp.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

MIN_BYTES_PER_S = 4096  # of an answer; slower than any telephone, faster than a siege


class Patient(asyncio.Protocol):
    """Passes everything on to `inner`, and breaks off a connection on which nothing happens.

    That is: no whole head of a request within `patience_s` of connecting, or an answer that waits
    and is taken at less than `MIN_BYTES_PER_S`. How long a body may take is the reader's matter.
    """

    def __init__(self, inner: asyncio.Protocol, patience_s: float) -> None:
        self._inner = inner
        self._patience_s = patience_s
        self._seen: bytes | None = b""  # the end of what came so far; None after a whole head
        self._left = 0  # bytes of answers that waited at the last look
        self._taken = False  # since then the client took all that was waiting but a little

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._look_later()
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._next_look.cancel()
        self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._seen is not None:
            seen = self._seen + data
            self._seen = None if b"\r\n\r\n" in seen else seen[-3:]
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._taken = True
        self._inner.resume_writing()

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(self._patience_s, self._look)

    def _look(self) -> None:
        left = self._transport.get_write_buffer_size()
        enough = self._left - left >= MIN_BYTES_PER_S * self._patience_s
        waited = self._left > 0 and left > 0 and not (self._taken or enough)
        if waited or self._seen is not None:
            self._transport.abort()
            return
        self._left, self._taken = left, False
        self._look_later()


class Runner(web.AppRunner):
    """aiohttp's, with connections that are `Patient` for so many seconds."""

    def __init__(self, app: web.Application, patience_s: float, options: dict[str, Any]) -> None:
        super().__init__(app, **options)
        self._patience_s = patience_s

    @property
    def server(self) -> web.Server | None:
        """What a site calls for each new connection."""
        server = super().server
        if server is None:
            return None
        make = cast(Callable[[], asyncio.Protocol], server)
        return cast(web.Server, lambda: Patient(make(), self._patience_s))
