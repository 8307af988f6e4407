"""From a request to a photo and its options: every limit is checked here, before any work."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from darkroom.contracts.errors import (
    MalformedRequest,
    PayloadTooLarge,
    SlowRequest,
    UnknownDefect,
    UnknownOption,
    UnsupportedEncoding,
)
from darkroom.contracts.options import DiagnoseOptions
from darkroom.contracts.sharing import Shared
from darkroom.imaging.header import Header, check_limits, read_header
from gateway.admission import HeldBytes
from gateway.multipart import boundary_of, form_fields
from gateway.settings import Settings

PHOTO_FIELD = "image"
FORM_BYTES = 64 << 10  # what a form may add to its photo: boundaries, headers, options
MAX_OPTION_BYTES = 256

Options = TypeVar("Options", bound=DiagnoseOptions)
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class ReceivedPhoto:
    """A photo as it was sent; only its header has been looked at."""

    payload: bytes
    header: Header
    shared: Shared | None = None  # where it lies as well, for model servers on this machine

    @property
    def megapixels(self) -> float:
        return self.header.pixels / 1e6


async def read_photo(
    request: web.Request, options_type: type[Model], settings: Settings, held: HeldBytes
) -> tuple[ReceivedPhoto, Model]:
    """Read the whole request: the photo as field `image` of a form or as the body itself.

    Options come from the query string and, in a form, from its other fields.

    Raises:
        ServiceError: 400, 408, 413, 415, 422 or 429, as `darkroom.contracts.errors` tells.
    """
    if "Content-Encoding" in request.headers or "Content-Transfer-Encoding" in request.headers:
        raise UnsupportedEncoding()
    # aiohttp's own `content_type` takes 0.7 ms to parse each boundary that it has not seen before.
    content_type = request.headers.get("Content-Type", "")
    is_form = content_type.lstrip().lower().startswith("multipart/")
    boundary = boundary_of(content_type) if is_form else b""

    limit = settings.max_bytes + (FORM_BYTES if is_form else 0)
    body = await read_body(request, settings, held, limit)
    pairs = list(request.query.items())
    payload = body
    if is_form:
        payload, form_pairs = _take_apart(body, boundary)
        pairs += form_pairs
    options = options_of(options_type, pairs)

    if len(payload) > settings.max_bytes:
        raise PayloadTooLarge()
    header = read_header(payload)
    check_limits(header, settings.max_pixels)
    return ReceivedPhoto(payload, header), options


async def read_body(request: web.Request, settings: Settings, held: HeldBytes, limit: int) -> bytes:
    """The body, of at most `limit` bytes. Raises as `read_photo` does."""
    if (request.content_length or 0) > limit:
        raise PayloadTooLarge()
    chunks, count = [], 0
    try:
        async with asyncio.timeout(settings.read_timeout_s):
            async for chunk in request.content.iter_any():
                count += len(chunk)
                if count > limit:
                    raise PayloadTooLarge()
                held.add(len(chunk))
                chunks.append(chunk)
    except TimeoutError as error:
        raise SlowRequest() from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise MalformedRequest("The body of the request is broken off or malformed.") from error
    return b"".join(chunks)


def _take_apart(body: bytes, boundary: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    photos, pairs = [], []
    for field in form_fields(body, boundary):
        if field.name == PHOTO_FIELD:
            photos.append(field.value)
        elif len(field.value) > MAX_OPTION_BYTES:
            raise MalformedRequest("A field of the form is too large to be an option.")
        else:
            pairs.append((field.name, str(field.value, "utf-8", "replace")))
    if len(photos) != 1:
        raise MalformedRequest(f"Send one photo in the field `{PHOTO_FIELD}`, not {len(photos)}.")
    return bytes(photos[0]), pairs


def options_of(options_type: type[Model], pairs: Iterable[tuple[str, str]]) -> Model:
    """Options as they were sent, checked. Raises `MalformedRequest` where they are not right."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise MalformedRequest("An option is given more than once.")
        given[name] = value
    try:
        return options_type.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "options"
        message = f"{name[:64]}: {first['msg']}"
        if name == "defect_to_fix" and first["type"] == "enum":
            raise UnknownDefect(message) from error
        raise UnknownOption(message) from error
