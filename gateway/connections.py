"""Slow clients: a connection may take as long as it likes only while it does something.

aiohttp waits for the head of a request as long as for the next request, and for the reader of an
answer for ever. A few hundred connections that trickle would hold sockets and answers until
somebody notices, so each is looked at from time to time, between it and aiohttp.
"""

import asyncio
import fcntl
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler

MIN_BYTES_PER_S = 4096  # of an answer; slower than any telephone, faster than a siege


class Patient(asyncio.Protocol):
    """Passes everything on to `inner`, and breaks off a connection on which nothing happens.

    That is: no whole head of a request within `patience_s` of connecting, none within twice that of
    a later one's first byte, or an answer that waits and is taken at less than `MIN_BYTES_PER_S`.
    How long a body may take is the reader's matter. What begins of a head before the last answer is
    not told from its body: without another byte it keeps a connection as long as none at all would.
    """

    def __init__(self, inner: asyncio.Protocol, patience_s: float) -> None:
        self._inner = inner
        self._patience_s = patience_s
        self._in_hand = False  # a request, from the end of its head until it has an answer
        self._seen = b""  # the end of what came of the next head so far
        self._head_is_due = self._head_was_due = True  # now, at the last look
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
        if not self._in_hand:
            self._head_is_due = True
            seen = self._seen + data
            self._seen = seen[-3:]
            if b"\r\n\r\n" in seen:
                self.begin()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._taken = True
        self._inner.resume_writing()

    def begin(self) -> None:
        """A request's head has come: what follows is its body, or waits for its answer."""
        self._in_hand, self._head_is_due, self._head_was_due = True, False, False

    def end(self) -> None:
        """The request has its answer: what comes now is the next head."""
        self._in_hand, self._seen = False, b""

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(self._patience_s, self._look)

    def _look(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._next_look.when()
        if late_s > self._patience_s / 4:  # it was we who did nothing
            self._look_later()
            return
        left = self._untaken_bytes()
        enough = self._left - left >= MIN_BYTES_PER_S * self._patience_s
        waited = self._left > 0 and left > 0 and not (self._taken or enough)
        # The next head may be there long before the last answer is taken, and nobody looks at it.
        due = self._head_is_due and not left
        if waited or (due and self._head_was_due):
            self._transport.abort()
            return
        self._left, self._taken, self._head_was_due = left, False, due
        self._look_later()

    def _untaken_bytes(self) -> int:
        """Of answers of which some wait here: those, and what the system holds before them.

        It takes more from here only when a third of its share is free, a megabyte on loopback: an
        honest reader of 100 KB/s would seem to take nothing for ten seconds.
        """
        waiting, in_system = self._transport.get_write_buffer_size(), bytearray(4)
        if not waiting:
            return 0
        with suppress(OSError, ValueError):  # not everywhere, and not of a socket closed meanwhile
            connection = self._transport.get_extra_info("socket")
            fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, in_system)
        return waiting + int.from_bytes(in_system, sys.byteorder)


@web.middleware
async def _in_hand(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only aiohttp knows where a body ends and the next head begins."""
    connection = request.transport.get_protocol() if request.transport else None
    if not isinstance(connection, Patient):
        return await handler(request)
    connection.begin()
    try:
        return await handler(request)
    finally:
        connection.end()


class Runner(web.AppRunner):
    """aiohttp's, with connections that are `Patient` for so many seconds."""

    def __init__(self, app: web.Application, patience_s: float, options: dict[str, Any]) -> None:
        app.middlewares.insert(0, _in_hand)
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
