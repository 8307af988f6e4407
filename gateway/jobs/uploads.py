"""From an upload to photos in storage and the wishes that came with them.

An order may be larger than memory, so it is read field by field: one photo at a time is held,
checked by its header and put away. A sender that falls silent or trickles is answered 408.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import TypeVar
from uuid import UUID, uuid4

from aiohttp import BodyPartReader, hdrs, web

from darkroom.contracts.errors import (
    MalformedRequest,
    PhotoTooLarge,
    ServiceError,
    SlowRequest,
    UnknownOption,
    UnsupportedEncoding,
)
from darkroom.contracts.jobs import FILE_FIELD, OPTIONS_OF, Operation
from darkroom.imaging.header import check_limits, read_header
from gateway.admission import HeldBytes
from gateway.calm import CALM
from gateway.jobs.orders import Photo
from gateway.jobs.storage import Storage, original_key
from gateway.reading import options_of
from gateway.settings import Settings

MAX_FIELDS = 16  # besides the files
MAX_VALUE_BYTES = 2048  # of a field that is no file: a webhook's address is the longest
MAX_NAME = 200
_CHUNK = 1 << 18
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


Value = TypeVar("Value")


@dataclass
class Upload:
    """The photos put away so far and the other fields of the form."""

    photos: list[Photo] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        return [original_key(photo.id) for photo in self.photos]


@dataclass(frozen=True)
class Wishes:
    """What is to be done, as the fields of the form say."""

    operation: Operation
    options: dict[str, object]
    source: UUID | None
    webhook: str | None


@asynccontextmanager
async def received_upload(
    request: web.Request, storage: Storage, settings: Settings, held: HeldBytes
) -> AsyncIterator[Upload]:
    """The upload of a request; what it has put into storage goes if the block fails.

    Raises:
        ServiceError: 400, 408, 415, 422 or 429, as `darkroom.contracts.errors` tells.
    """
    upload = Upload()
    try:
        try:
            async with asyncio.timeout(settings.upload_timeout_s):
                await _read_form(request, upload, storage, settings, held)
        except TimeoutError as error:
            raise SlowRequest() from error
        except (web.RequestPayloadError, ConnectionError, ValueError, AssertionError) as error:
            raise MalformedRequest("The form is broken off or malformed.") from error
        yield upload
    except BaseException:
        await asyncio.shield(storage.delete(upload.keys))
        raise


def wishes_of(upload: Upload) -> Wishes:
    """Check the fields that are no files.

    Raises:
        MalformedRequest: `operation`, an option or `source` is not as documented; no photo or two
            sorts of them.
    """
    fields = dict(upload.fields)
    source, webhook = fields.pop("source", None), fields.pop("webhook", None)
    try:
        operation = Operation(fields.pop("operation", Operation.ENHANCE))
    except ValueError as error:
        raise UnknownOption(f"operation: one of {', '.join(Operation)}") from error
    if bool(upload.photos) == bool(source):
        raise MalformedRequest(f"Send photos in the field `{FILE_FIELD}`, or `source`.")
    options = options_of(OPTIONS_OF[operation], fields.items())
    try:
        earlier = UUID(source) if source else None
    except ValueError as error:
        raise UnknownOption("source: the id of a job or order") from error
    return Wishes(
        operation, options.model_dump(mode="json", exclude_unset=True), earlier, webhook or None
    )


def shown_name(given: str) -> str:
    """A file's name fit to be shown: no folders, no control or direction characters."""
    last = re.split(r"[/\\]", given)[-1]
    return _UNSEEN.sub("", last).strip()[:MAX_NAME] or "photo"


async def _read_form(
    request: web.Request, upload: Upload, storage: Storage, settings: Settings, held: HeldBytes
) -> None:
    if hdrs.CONTENT_ENCODING in request.headers or "Content-Transfer-Encoding" in request.headers:
        raise UnsupportedEncoding()
    if request.content_type != "multipart/form-data":
        raise MalformedRequest("Photos are taken as multipart/form-data.")
    reader = await request.multipart()
    while (part := await _within(settings, reader.next())) is not None:
        if not isinstance(part, BodyPartReader):
            raise MalformedRequest("A field of the form is a form itself.")
        field_name, file_name = _names(part)
        if hdrs.CONTENT_TRANSFER_ENCODING in part.headers or hdrs.CONTENT_ENCODING in part.headers:
            raise UnsupportedEncoding()
        if field_name == FILE_FIELD:
            if len(upload.photos) == settings.max_order_photos:
                raise PhotoTooLarge(f"An order has at most {settings.max_order_photos} photos.")
            await _put_away(part, file_name, upload, storage, settings, held)
            await request.app[CALM].breathe()
        elif field_name in upload.fields or len(upload.fields) == MAX_FIELDS:
            raise MalformedRequest("A field is given more than once, or there are too many.")
        else:
            value = await _content(part, MAX_VALUE_BYTES, settings, held)
            upload.fields[field_name] = value.decode("utf-8", "replace")


def _names(part: BodyPartReader) -> tuple[str, str]:
    """(field, file) as the field's head says; aiohttp's own reading stumbles over semicolons."""
    given = part.headers.get(hdrs.CONTENT_DISPOSITION, "")
    head = Message()
    head[hdrs.CONTENT_DISPOSITION] = given.encode("utf-8", "surrogateescape").decode(
        "utf-8", "replace"
    )
    name = head.get_param("name", header=hdrs.CONTENT_DISPOSITION)
    if head.get_content_disposition() != "form-data" or not isinstance(name, str) or not name:
        raise MalformedRequest("A field of the form has no name.")
    return name, head.get_filename() or ""


async def _put_away(
    part: BodyPartReader,
    file_name: str,
    upload: Upload,
    storage: Storage,
    settings: Settings,
    held: HeldBytes,
) -> None:
    name, place = shown_name(file_name), len(upload.photos) + 1
    payload = await _content(part, settings.max_bytes, settings, held)
    try:
        header = read_header(payload)
        check_limits(header, settings.max_pixels)
    except ServiceError as error:
        raise type(error)(f"File {place}, {name}: {error}") from error
    digest = hashlib.sha256(payload).digest()
    photo = Photo(uuid4(), name, header, len(payload), digest)
    upload.photos.append(photo)  # before it is there, so that it is deleted in any case
    await storage.put(original_key(photo.id), payload)
    held.release(len(payload))


async def _within(settings: Settings, reading: Awaitable[Value]) -> Value:
    """What is read, unless the sender falls silent."""
    async with asyncio.timeout(settings.read_timeout_s):
        return await reading


async def _content(part: BodyPartReader, limit: int, settings: Settings, held: HeldBytes) -> bytes:
    chunks, count = [], 0
    while chunk := await _within(settings, part.read_chunk(_CHUNK)):
        count += len(chunk)
        if count > limit:
            raise PhotoTooLarge(f"A photo may have {limit:,} bytes, an option {MAX_VALUE_BYTES:,}.")
        held.add(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)
