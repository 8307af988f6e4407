"""The way to a Darkroom and back, for all its clients: one request, and what it comes to."""

import io
from collections.abc import Mapping

import aiohttp
from pydantic import ValidationError

from darkroom.contracts.errors import OutOfTime, OverCapacity, ServiceError
from darkroom.contracts.problem import Problem

Body = aiohttp.FormData | io.BytesIO


class Unreachable(ConnectionError):
    """No Darkroom answers at this address. Not a `ServiceError`: there is no service."""


class Transport:
    """The connections to one service; one object carries many requests at once."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None  # needs a running loop: made on use

    @property
    def session(self) -> aiohttp.ClientSession:
        """For answers that are read piece by piece; their errors are aiohttp's own."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        path: str,
        *,
        data: Body | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """The answer and its body; `headers` are added to aiohttp's own.

        Raises:
            ServiceError: the service refused; the class says why.
            OutOfTime: also where there is no answer within the client's own timeout.
            Unreachable: there is no service at this address, or the connection broke.
        """
        url = self.url + path
        try:
            async with self.session.request(
                method, url, data=data, params=params, headers=headers
            ) as reply:
                body = await reply.read()
        except TimeoutError as error:
            raise OutOfTime(f"No answer from {self.url} in {self._timeout.total} s.") from error
        except (aiohttp.ClientConnectorError, ValueError) as error:  # ValueError: no address at all
            message = f"No Darkroom answers at {self.url}. `darkroom up` starts one."
            raise Unreachable(message) from error
        except aiohttp.ClientError as error:
            raise Unreachable(f"The connection to {self.url} broke: {error}") from error
        if reply.status >= 400:
            raise _refusal(reply, body)
        return reply, body


def _refusal(reply: aiohttp.ClientResponse, body: bytes) -> ServiceError:
    try:
        error = Problem.model_validate_json(body).to_error()
    except ValidationError:  # a proxy between us, or not a Darkroom
        return ServiceError(f"The answer was HTTP {reply.status} without a problem document.")
    wait_s = reply.headers.get("Retry-After", "")
    if isinstance(error, OverCapacity) and wait_s.isdecimal():
        error.retry_after_s = int(wait_s)
    return error
