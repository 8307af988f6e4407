"""The gateway's one edge to model servers: what their replies mean.

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
from gateway.wire import ReplyTooLarge, Wire, WireReply

log = logging.getLogger(__name__)

# What a model server may say about the photo or its own load; the rest is its own failure.
PASSED_ON = (
    *(UnreadablePhoto, UnsupportedPhoto),
    *(OverCapacity, OutOfMemory, OutOfTime, ModelMissing),
)

ObserveHop = Callable[[str, str, float], None]  # model server, outcome, seconds


@dataclass(frozen=True)
class _Said:
    by: ModelReply
    body: bytes | None  # None: the photo was left alone
    shared: Shared | None = None  # where the body lies, too


class Unreached(ReplicaUnavailable):
    """The model server is not there, or went away in the middle."""


class ModelServer:
    """One replica of a model server, by its base URL. Every call ends within its budget.

    Which replica is asked, and whom instead if it fails, is decided in `gateway/replicas.py`.
    """

    def __init__(
        self,
        name: str,
        wire: Wire,
        sharing: Sharing,
        observe: ObserveHop = lambda *_: None,
    ) -> None:
        self.name = name
        self.wire = wire
        self._sharing = sharing
        self._observe = observe
        self._sees_shared = False  # it has said so, the last time that it was asked

    @property
    def is_only_one(self) -> bool:
        """Whether there is no other replica to ask instead."""
        return self.wire.is_only_one

    @is_only_one.setter
    def is_only_one(self, alone: bool) -> None:
        self.wire.is_only_one = alone

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
        except ReplyTooLarge as error:
            outcome = ReplicaUnavailable.code
            raise self._failure("its reply is over the byte limit") from error
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

    async def _exchange_once_more(self, call: Call[Answer]) -> _Said:
        try:
            return await self._exchange(call)
        except aiohttp.ClientConnectorError:
            raise  # nobody is there; an old connection is no excuse
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
            # A connection kept alive may have been closed at the other end just now; a prediction
            # changes nothing there, so it may be asked for again.
            return await self._exchange(call)

    async def _exchange(self, call: Call[Answer]) -> _Said:
        photo = call.work.photo
        by_name = photo.shared is not None and self._sees_shared
        reply = await self.wire.post(call.headers, b"" if by_name else photo.payload)
        if photo.shared is not None and _is_from_a_handler(reply):
            self._sees_shared = headers.SHARED in reply.headers
        if by_name and not self._sees_shared:
            return await self._exchange(call)  # it has lost sight of the folder: now with the bytes
        return await self._said(reply, photo.shared)

    async def _said(self, reply: WireReply, asked_about: Shared | None) -> _Said:
        if reply.status not in (200, 204):
            raise self._error_of(reply)
        try:
            by = ModelReply.model_validate_json(reply.headers.get(headers.MODEL, ""))
            told = reply.headers.get(headers.SHARED)
            shared = Shared.model_validate_json(told) if told is not None else None
        except ValidationError as error:
            raise self._failure("its reply does not say which model made it") from error
        if reply.status == 204:
            return _Said(by, None)
        if shared is None or asked_about is None or shared.name == asked_about.name:
            return _Said(by, reply.body)
        body = await self._sharing.read(shared, self.wire.max_reply_bytes)
        return _Said(by, body, asked_about.model_copy(update={"name": shared.name}))

    def _error_of(self, reply: WireReply) -> ServiceError:
        if reply.media_type == problem.MEDIA_TYPE:
            try:
                error = problem.Problem.model_validate_json(reply.body).to_error()
            except ValidationError:
                return self._failure(f"status {reply.status} with a broken problem document")
            if isinstance(error, PASSED_ON):
                return error
        return self._failure(f"status {reply.status}: {reply.body[:200]!r}")

    def _unreached(self, cause: str) -> Unreached:
        log.warning("model server %s at %s is not there: %s", self.name, self.wire.url, cause)
        return Unreached(f"The model server `{self.name}` failed on this photo.")

    def _failure(self, cause: str) -> ReplicaUnavailable:
        log.warning("model server %s at %s failed: %s", self.name, self.wire.url, cause)
        return ReplicaUnavailable(f"The model server `{self.name}` failed on this photo.")


def _is_from_a_handler(reply: WireReply) -> bool:
    """And not from TorchServe itself, which knows nothing of what is shared."""
    return reply.status in (200, 204) or reply.media_type == problem.MEDIA_TYPE
