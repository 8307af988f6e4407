"""What clients of the routes with a session share: every request carries the session's header."""

from collections.abc import Mapping
from typing import Self

from darkroom.client import DEFAULT_URL
from darkroom.contracts.jobs import SESSION_HEADER
from darkroom.transport import Body, Transport


class SessionClient:
    """Calls with one session; one object serves many at once."""

    def __init__(self, url: str = DEFAULT_URL, *, session: str, timeout_s: float = 60.0) -> None:
        self._transport = Transport(url, timeout_s)
        self._headers = {SESSION_HEADER: session}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def call(
        self,
        method: str,
        path: str,
        told: Mapping[str, str] | None = None,
        data: Body | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of the answer; `told` are more headers. Raises as `Transport.send` does."""
        headers = self._headers | dict(told or {})
        _, body = await self._transport.send(
            method, path, data=data, params=params, headers=headers
        )
        return body
