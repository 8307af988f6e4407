"""The gateway's one edge to model servers: how a photo gets there and what their replies mean.

TorchServe's own statuses are ambiguous (503 for a full queue as for a failed handler, 507 for any
text with "CUDA" in it, 413 for its own limit), so only a 200, a 204 (left alone) and a problem
document say anything; every other reply is the model server's failure. The deadline is ours:
TorchServe drops requests that are too late without a word.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from pydantic import ValidationError

from darkroom.contracts import headers, problem
from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.diagnosis import Diagnosis
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
from darkroom.contracts.report import ColorizeRequest, ModelReply, StepRequest
from darkroom.imaging.header import Format, read_header
from gateway.budget import Budget

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


@dataclass(frozen=True)
class Reply:
    payload: bytes | None  # None where the photo was left alone
    by: ModelReply
    ms: float  # as the gateway saw it, transport included


@dataclass(frozen=True)
class DiagnosisReply:
    diagnosis: Diagnosis
    by: ModelReply
    ms: float


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
    ) -> None:
        self.name = name
        self._url = f"{base_url.rstrip('/')}/predictions/{name}"
        self._session = session
        self._max_reply_bytes = max_reply_bytes
        self._observe = observe
        self._most_ms = math.inf
        self.is_only_one = True  # then a slow connection is better than none

    def told_to_spend(self, most_ms: float) -> "ModelServer":
        """The same, whose handler is to plan with no more than this, whatever the budget is."""
        hurried = copy(self)
        hurried._most_ms = most_ms
        return hurried

    async def diagnose(self, payload: bytes, budget: Budget, request_id: str) -> DiagnosisReply:
        """The severities of all nine defects.

        Raises:
            UnreadablePhoto, UnsupportedPhoto, OverCapacity: as the model server says.
            OutOfTime: no reply within the budget.
            ReplicaUnavailable: it is down, failed or answered rubbish.
        """
        reply = await self._predict(payload, {headers.REQUEST_ID: request_id}, budget)
        try:
            diagnosis = Diagnosis.model_validate_json(reply.payload or b"")
        except ValidationError as error:
            raise self._failure("its reply is no diagnosis") from error
        return DiagnosisReply(diagnosis, reply.by, reply.ms)

    async def enhance(
        self,
        payload: bytes,
        media_format: Format,
        step: StepRequest,
        budget: Budget,
        request_id: str,
    ) -> Reply:
        """The photo with one step done, in the format it came in. Raises as `diagnose` does."""
        asked = {headers.REQUEST_ID: request_id, headers.STEP: step.model_dump_json()}
        return await self._photo(payload, media_format, asked, budget)

    async def adjust(
        self,
        payload: bytes,
        media_format: Format,
        adjustments: Adjustments,
        budget: Budget,
        request_id: str,
    ) -> Reply:
        """The photo with the manual sliders turned. Raises as `diagnose` does."""
        asked = {headers.REQUEST_ID: request_id, headers.ADJUST: adjustments.model_dump_json()}
        return await self._photo(payload, media_format, asked, budget)

    async def colorize(
        self,
        payload: bytes,
        media_format: Format,
        asked: ColorizeRequest,
        budget: Budget,
        request_id: str,
    ) -> Reply:
        """The photo in colour. Raises as `diagnose` does, and ModelMissing, OutOfMemory."""
        told = {headers.REQUEST_ID: request_id, headers.COLORIZE: asked.model_dump_json()}
        return await self._photo(payload, media_format, told, budget)

    async def _photo(
        self, payload: bytes, media_format: Format, asked: dict[str, str], budget: Budget
    ) -> Reply:
        reply = await self._predict(payload, asked, budget)
        if reply.payload is None:
            return reply
        try:
            came_back = read_header(reply.payload).format
        except ServiceError as error:
            raise self._failure("its reply is no photo") from error
        if came_back is not media_format:
            raise self._failure(f"its reply is {came_back} for {media_format}")
        return reply

    async def _predict(self, payload: bytes, asked: dict[str, str], budget: Budget) -> Reply:
        started, outcome = time.perf_counter(), "gone"  # unless something else turns out
        try:
            async with asyncio.timeout(budget.left_ms / 1000):
                by, body = await self._exchange_once_more(payload, asked, budget)
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
        return Reply(body, by, seconds * 1000)

    async def _exchange_once_more(
        self, payload: bytes, asked: dict[str, str], budget: Budget
    ) -> tuple[ModelReply, bytes | None]:
        try:
            return await self._exchange(payload, asked, budget)
        except aiohttp.ClientConnectorError:
            raise  # nobody is there; an old connection is no excuse
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
            # A connection kept alive may have been closed at the other end just now; a prediction
            # changes nothing there, so it may be asked for again.
            return await self._exchange(payload, asked, budget)

    async def _exchange(
        self, payload: bytes, asked: dict[str, str], budget: Budget
    ) -> tuple[ModelReply, bytes | None]:
        sent = {**asked, headers.BUDGET: str(int(min(budget.left_ms, self._most_ms)))}
        async with self._session.post(
            self._url,
            data=_PhotoBytes(payload),
            headers=sent,
            allow_redirects=False,
            timeout=_BY_BUDGET if self.is_only_one else _QUICK_TO_CONNECT,
        ) as response:
            body = await self._read(response)
            if response.status not in (200, 204):
                raise self._error_of(response, body)
            try:
                by = ModelReply.model_validate_json(response.headers.get(headers.MODEL, ""))
                return by, None if response.status == 204 else body
            except ValidationError as error:
                raise self._failure("its reply does not say which model made it") from error

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
