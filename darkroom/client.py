"""The Python client for programs that run on asyncio; `blocking` has the one for all others.

    async with AsyncDarkroom("http://127.0.0.1:9000") as darkroom:
        enhanced = await darkroom.enhance("kitchen.jpg")

Every refusal is raised as the same `ServiceError` that the service answered with.
"""

import asyncio
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
from pydantic import TypeAdapter, ValidationError

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.headers import REPORT
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import DiagnoseAnswer, Report
from darkroom.transport import Transport, Unreachable

__all__ = ["DEFAULT_URL", "AsyncDarkroom", "Enhanced", "Unreachable"]

DEFAULT_URL = "http://127.0.0.1:9000"

PhotoSource = bytes | str | Path  # the photo itself, or where it lies

_DEFECTS = TypeAdapter(list[Defect])
_AS_BYTES = {"Content-Type": "application/octet-stream"}  # the service looks at the content


@dataclass(frozen=True)
class Enhanced:
    """A mended photo and what was done to it."""

    photo: bytes | None  # in the format it was sent in; None where nothing needed mending
    report: Report


class AsyncDarkroom:
    """The service, for programs that run on asyncio; one object serves many calls at once."""

    def __init__(self, url: str = DEFAULT_URL, timeout_s: float = 60.0) -> None:
        self._transport = Transport(url, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def enhance(
        self,
        photo: PhotoSource,
        *,
        strength: float | None = None,
        steps: Iterable[Enhancer | str] | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Find what is wrong with a photo and mend it.

        `strength` runs from 0 (leave) to 1 (mend fully, the default), `steps` names the enhancers
        that may run, `budget_ms` is the time for the whole answer. Every method takes a photo as
        bytes or as the path of a file.

        Raises:
            ServiceError: the service refused; the class says why.
            Unreachable: there is no service at this address.
            OSError: the photo's file cannot be read.
        """
        named = None if steps is None else ",".join(steps)
        options = {"strength": strength, "steps": named, "budget_ms": budget_ms}
        return _enhanced(*await self._post("/enhance_image", photo, options))

    async def fix_defect(
        self,
        photo: PhotoSource,
        defect: Defect | str,
        *,
        strength: float | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Mend one named defect, found or not. Raises as `enhance` does."""
        options = {"defect_to_fix": defect, "strength": strength, "budget_ms": budget_ms}
        return _enhanced(*await self._post("/fix_defect", photo, options))

    async def colorize(
        self,
        photo: PhotoSource,
        *,
        model: ColorModel | str | None = None,
        render_factor: int | None = None,
        strength: float | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Give a photo the colours that are likely for it; its light stays.

        Without `model` ("artistic", "stable", "lite") the best one there is for the time takes it,
        without `render_factor` (7…45) its size and the time decide. Raises as `enhance` does.
        """
        options = {
            "model": model,
            "render_factor": render_factor,
            "strength": strength,
            "budget_ms": budget_ms,
        }
        return _enhanced(*await self._post("/colorize", photo, options))

    async def diagnose(self, photo: PhotoSource, *, budget_ms: int | None = None) -> DiagnoseAnswer:
        """The severity of all nine defects and the steps they lead to. Raises as `enhance` does."""
        _, body = await self._post("/diagnose", photo, {"budget_ms": budget_ms})
        return DiagnoseAnswer.model_validate_json(body)

    async def detect_problems(
        self, photo: PhotoSource, *, budget_ms: int | None = None
    ) -> list[Defect]:
        """The defects found, worst first. Raises as `enhance` does."""
        _, body = await self._post("/detect_problems", photo, {"budget_ms": budget_ms})
        return _DEFECTS.validate_json(body)

    async def _post(
        self, route: str, photo: PhotoSource, options: dict[str, Any]
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        payload = photo if isinstance(photo, bytes) else await asyncio.to_thread(_read, photo)
        given = {name: str(value) for name, value in options.items() if value is not None}
        # Wrapped, because aiohttp warns of large bytes and sends them in one piece.
        return await self._transport.send(
            "POST", route, data=io.BytesIO(payload), params=given, headers=_AS_BYTES
        )


def _read(path: str | Path) -> bytes:
    return Path(path).read_bytes()


def _enhanced(reply: aiohttp.ClientResponse, body: bytes) -> Enhanced:
    try:
        report = Report.model_validate_json(reply.headers.get(REPORT, ""))
    except ValidationError as error:
        raise ServiceError(f"The answer carries no readable {REPORT} header.") from error
    return Enhanced(photo=None if reply.status == 204 else body, report=report)
