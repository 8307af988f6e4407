"""One request to a model server and its reply, as they are on the wire: bytes and headers."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractStreamWriter

CONNECT_S = 0.4  # a machine that is there answers in a millisecond, one that is gone never

_BY_BUDGET = aiohttp.ClientTimeout(total=None)
_QUICK_TO_CONNECT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)


class ReplyTooLarge(Exception):
    """A model server answers more than is taken."""


@dataclass(frozen=True)
class WireReply:
    """A reply as it came; header names in any case."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """To the model of this name at one base URL."""

    def __init__(
        self, name: str, base_url: str, session: aiohttp.ClientSession, max_reply_bytes: int
    ) -> None:
        self.url = f"{base_url.rstrip('/')}/predictions/{name}"
        self.max_reply_bytes = max_reply_bytes
        self.is_only_one = True  # then a slow connection is better than none
        self._session = session

    async def post(self, told: Mapping[str, str], payload: bytes) -> WireReply:
        """Send headers and photo, read all of the reply.

        Raises:
            ReplyTooLarge: as it says.
            aiohttp.ClientError, OSError: as aiohttp has it.
        """
        async with self._session.post(
            self.url,
            data=_PhotoBytes(payload),
            headers=told,
            allow_redirects=False,
            timeout=_BY_BUDGET if self.is_only_one else _QUICK_TO_CONNECT,
        ) as response:
            body = await self._read(response)
            return WireReply(response.status, response.content_type, response.headers, body)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, count = [], 0
        async for chunk in response.content.iter_any():
            count += len(chunk)
            if count > self.max_reply_bytes:
                raise ReplyTooLarge
            chunks.append(chunk)
        return b"".join(chunks)


class _PhotoBytes(aiohttp.BytesPayload):
    """A photo sent from where it lies in memory, in pieces that leave the event loop its turns.

    aiohttp's own `BytesPayload` writes all at once and warns over 1 MiB, its `io.BytesIO` payload
    copies: for 10 MiB both took 21 ms over loopback where this takes 15.
    """

    PIECE = 256 << 10  # bytes

    def __init__(self, value: bytes) -> None:
        super().__init__(b"", content_type="application/octet-stream")
        self._value, self._size = value, len(value)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        assert content_length in (None, self._size)
        view = memoryview(self._value)
        for start in range(0, len(view), self.PIECE):
            await writer.write(view[start : start + self.PIECE])
