"""The gateway's one edge to model servers: how a photo gets there and what their replies mean.

TorchServe's own statuses are ambiguous (503 for a full queue as for a failed handler, 507 for any
text with "CUDA" in it, 413 for its own limit), so only a 200, a 204 (left alone) and a problem
document say anything; every other reply is the model server's failure. The deadline is ours:
TorchServe drops requests that are too late without a word.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from pydantic import ValidationError

from darkroom.contracts import headers, problem
from darkroom.contracts.errors import (
    ModelMissing,
    OutOfMemory,
    OutOfTime,
    OverCapacity,
    ReplicaUnavailable,
    ServiceError,
    UnreadablePhoto,
    UnsupportedPhoto,
)
from darkroom.contracts.report import ModelReply
from darkroom.contracts.sharing import Shared
from gateway.calls import Answer, Call, Reply
from gateway.sharing import Sharing

log = logging.getLogger(__name__)

# What a model server may say about the photo or its own load; the rest is its own failure.
PASSED_ON = (
    *(UnreadablePhoto, UnsupportedPhoto),
    *(OverCapacity, OutOfMemory, OutOfTime, ModelMissing),
)

CONNECT_S = 0.4  # a machine that is there answers in a millisecond, one that is gone never

_BY_BUDGET = aiohttp.ClientTimeout(total=None)
_QUICK_TO_CONNECT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)

ObserveHop = Callable[[str, str, float], None]  # model server, outcome, seconds


class Unreached(ReplicaUnavailable):
    """The model server is not there, or went away in the middle."""


class ModelServer:
    """One replica of a model server, by its base URL. Every call ends within its budget.

    Which replica is asked, and whom instead if it fails, is decided in `gateway/replicas.py`.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        session: aiohttp.ClientSession,
        max_reply_bytes: int,
        observe: ObserveHop = lambda *_: None,
        sharing: Sharing | None = None,
    ) -> None:
        self.name = name
        self._url = f"{base_url.rstrip('/')}/predictions/{name}"
        self._session = session
        self._max_reply_bytes = max_reply_bytes
        self._observe = observe
        self._sharing = sharing
        self._sees_shared = False  # it has said so, the last time that it was asked
        self.is_only_one = True  # then a slow connection is better than none

    async def ask(self, call: Call[Answer]) -> Reply[Answer]:
        """Send a photo there and understand the answer.

        Raises:
            UnreadablePhoto, UnsupportedPhoto, OverCapacity, OutOfMemory, ModelMissing: as the model
                server says.
            OutOfTime: no reply within the budget.
            ReplicaUnavailable: it is down, failed or answered rubbish.
        """
        started, outcome = time.perf_counter(), "gone"  # unless something else turns out
        try:
            async with asyncio.timeout(call.work.budget.left_ms / 1000):
                said = await self._exchange_once_more(call)
            answer = self._understood(call, said.body)
            outcome = "ok"
        except ServiceError as error:
            outcome = error.code
            raise
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            outcome = ReplicaUnavailable.code
            raise self._unreached(repr(error)) from error
        except TimeoutError as error:
            outcome = OutOfTime.code
            raise OutOfTime() from error
        except (aiohttp.ClientError, OSError) as error:
            outcome = ReplicaUnavailable.code
            raise self._failure(repr(error)) from error
        finally:
            seconds = time.perf_counter() - started
            self._observe(self.name, outcome, seconds)
        return Reply(answer, said.by, seconds * 1000, said.shared)

    def _understood(self, call: Call[Answer], body: bytes | None) -> Answer:
        try:
            return call.understand(body)
        except ValueError as error:
            raise self._failure(f"its answer is not understood: {error}") from error

    async def _exchange_once_more(self, call: Call[Answer]) -> "Said":
        try:
            return await self._exchange(call)
        except aiohttp.ClientConnectorError:
            raise  # nobody is there; an old connection is no excuse
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
            # A connection kept alive may have been closed at the other end just now; a prediction
            # changes nothing there, so it may be asked for again.
            return await self._exchange(call)

    async def _exchange(self, call: Call[Answer]) -> "Said":
        photo = call.work.photo
        by_name = photo.shared is not None and self._sees_shared
        async with self._session.post(
            self._url,
            data=_PhotoBytes(b"" if by_name else photo.payload),
            headers=call.headers,
            allow_redirects=False,
            timeout=_BY_BUDGET if self.is_only_one else _QUICK_TO_CONNECT,
        ) as response:
            body = await self._read(response)
            if photo.shared is not None and _is_from_a_handler(response):
                self._sees_shared = headers.SHARED in response.headers
            if not (by_name and not self._sees_shared):
                return await self._said(response, body, photo.shared)
        return await self._exchange(call)  # it has lost sight of the folder: with the bytes, then

    async def _said(
        self, response: aiohttp.ClientResponse, body: bytes, asked_about: Shared | None
    ) -> "Said":
        if response.status not in (200, 204):
            raise self._error_of(response, body)
        try:
            by = ModelReply.model_validate_json(response.headers.get(headers.MODEL, ""))
            told = response.headers.get(headers.SHARED)
            shared = Shared.model_validate_json(told) if told is not None else None
        except ValidationError as error:
            raise self._failure("its reply does not say which model made it") from error
        if response.status == 204:
            return Said(by, None)
        if shared is None or asked_about is None or shared.name == asked_about.name:
            return Said(by, body)
        assert self._sharing is not None  # or nothing would have been offered
        body = await self._sharing.read(shared, self._max_reply_bytes)
        return Said(by, body, asked_about.model_copy(update={"name": shared.name}))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, count = [], 0
        async for chunk in response.content.iter_any():
            count += len(chunk)
            if count > self._max_reply_bytes:
                raise self._failure("its reply is over the byte limit")
            chunks.append(chunk)
        return b"".join(chunks)

    def _error_of(self, response: aiohttp.ClientResponse, body: bytes) -> ServiceError:
        if response.content_type == problem.MEDIA_TYPE:
            try:
                error = problem.Problem.model_validate_json(body).to_error()
            except ValidationError:
                return self._failure(f"status {response.status} with a broken problem document")
            if isinstance(error, PASSED_ON):
                return error
        return self._failure(f"status {response.status}: {body[:200]!r}")

    def _unreached(self, cause: str) -> Unreached:
        log.warning("model server %s at %s is not there: %s", self.name, self._url, cause)
        return Unreached(f"The model server `{self.name}` failed on this photo.")

    def _failure(self, cause: str) -> ReplicaUnavailable:
        log.warning("model server %s at %s failed: %s", self.name, self._url, cause)
        return ReplicaUnavailable(f"The model server `{self.name}` failed on this photo.")


@dataclass(frozen=True)
class Said:
    """What a model server has answered, before anybody has looked into it."""

    by: ModelReply
    body: bytes | None  # None: the photo was left alone
    shared: Shared | None = None  # where the body lies, too


def _is_from_a_handler(response: aiohttp.ClientResponse) -> bool:
    """And not from TorchServe itself, which knows nothing of what is shared."""
    return response.status in (200, 204) or response.content_type == problem.MEDIA_TYPE


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
