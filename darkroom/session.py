"""What clients of the routes with a session share: the header, and refusals as errors."""

import io
from collections.abc import Mapping
from typing import Self

import aiohttp
from pydantic import ValidationError

from darkroom.client import DEFAULT_URL, Unreachable
from darkroom.contracts.errors import OutOfTime, ServiceError
from darkroom.contracts.jobs import SESSION_HEADER
from darkroom.contracts.problem import Problem


class SessionClient:
    """Calls with one session; one object serves many at once."""

    def __init__(self, url: str = DEFAULT_URL, *, session: str, timeout_s: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._headers = {SESSION_HEADER: session}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._http: aiohttp.ClientSession | None = None  # needs a running loop: made on use

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(
        self,
        method: str,
        path: str,
        told: Mapping[str, str] | None = None,
        data: aiohttp.FormData | io.BytesIO | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of the answer; `told` are more headers.

        Raises:
            ServiceError: the service refused; the class says why.
            Unreachable: there is no service at this address.
        """
        headers = self._headers | dict(told or {})
        try:
            async with self._client().request(
                method, self.url + path, headers=headers, data=data, params=params
            ) as reply:
                body = await reply.read()
        except TimeoutError as error:
            raise OutOfTime(f"No answer from {self.url} in {self._timeout.total} s.") from error
        except (aiohttp.ClientError, ValueError) as error:
            message = f"No Darkroom answers at {self.url}. `darkroom up` starts one."
            raise Unreachable(message) from error
        if reply.status >= 400:
            try:
                raise Problem.model_validate_json(body).to_error()
            except ValidationError as error:
                raise ServiceError(f"The answer was HTTP {reply.status}.") from error
        return body

    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=self._timeout)
        return self._http
