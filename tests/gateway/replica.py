"""A model server of one process that speaks the wire protocol, and ways for it to misbehave."""

import asyncio
import base64
import hashlib
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import aiohttp
from aiohttp import web
from PIL import Image

from darkroom.contracts import headers, problem
from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import ServiceError, UnreadablePhoto
from darkroom.contracts.report import (
    ColorizeRequest,
    Foresight,
    ModelReply,
    StageTimes,
    StepRequest,
)
from darkroom.contracts.sharing import Shared
from darkroom.imaging.header import Format, Header, read_header
from gateway.budget import Budget
from gateway.calls import Work
from gateway.model_server import ModelServer, ObserveHop
from gateway.reading import ReceivedPhoto
from gateway.sharing import Sharing
from gateway.wire import Wire
from tests.gateway.photos import encode

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def in_hand(payload: bytes, budget: Budget | None = None) -> Work:
    """A photo as a gateway holds it; what is none counts as a JPEG until somebody looks."""
    try:
        header = read_header(payload)
    except ServiceError:
        header = Header(Format.JPEG, 8, 6)
    return Work(ReceivedPhoto(payload, header), budget or Budget.start(5000), "test")


def a_diagnosis(**severities: float) -> Diagnosis:
    return Diagnosis(
        severities={d: severities.get(d.value, 0.05) for d in Defect},
        thresholds=dict.fromkeys(Defect, 0.5),
    )


def a_model_reply(
    model: str = "tone",
    network_ms: float = 2.0,
    severities: Mapping[Defect, float] | None = None,
    notes: Mapping[str, str | float] = MappingProxyType({}),
) -> ModelReply:
    return ModelReply(
        model=model,
        version="1.0",
        weights_sha256="0123456789ab",
        device="cpu",
        stages=StageTimes(decode_ms=1, network_ms=network_ms),
        severities=severities,
        notes=notes,
    )


def a_tone_map(payload: bytes) -> str:
    """In place of a packed tone map: another one for each photo."""
    return base64.b64encode(hashlib.sha256(payload).digest()).decode()


@dataclass
class Replica:
    """What it was asked, and what it is to answer."""

    url: str = ""
    diagnosis: Diagnosis = field(default_factory=lambda: a_diagnosis(low_light=0.9))
    network_ms: float = 2.0  # what it says its network took
    notes: dict[str, str | float] = field(default_factory=dict)  # on how it went about it
    judgements: dict[str, Diagnosis] = field(default_factory=dict)  # of each enhancer's result
    behaviours: dict[str, Behaviour] = field(default_factory=dict)  # instead of the ordinary one
    foresees: Behaviour | None = None  # likewise, where it is asked to foresee
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    foreseen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    cancelled: int = 0
    shared_folder: Path | None = None  # where it finds photos by their names, and leaves its own

    async def predict(self, request: web.Request) -> web.StreamResponse:
        model, payload = request.match_info["model"], await request.read()
        behave = self.behaviours.get(model, self._answer)
        if '"foresee":true' in request.headers.get(headers.STEP, ""):
            self.foreseen.append((dict(request.headers), payload))
            behave = self.foresees or self._foresee
        else:
            self.seen.append((model, dict(request.headers), payload))
        try:
            return await behave(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _foresee(self, request: web.Request) -> web.StreamResponse:
        text = Foresight(tone_map=a_tone_map(await request.read())).model_dump_json()
        told = {headers.MODEL: a_model_reply().model_dump_json()}
        return web.json_response(text=text, headers=told)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        model, payload = request.match_info["model"], await request.read()
        shared = self._shared(request)
        if self.shared_folder and shared:
            payload = shared.file(self.shared_folder).read_bytes()
        judged = self.judgements.get(model)
        severities = judged.severities if judged else None
        foreseen = '"foreseen":"' in request.headers.get(headers.STEP, "")
        notes = self.notes | ({"map": "foreseen"} if foreseen else {})
        by = a_model_reply(model, self.network_ms, severities, notes)
        told = {headers.MODEL: by.model_dump_json()}
        if shared:
            told[headers.SHARED] = shared.model_dump_json()
        try:
            photo_format = read_header(payload).format
            if model == "defects":
                text = self.diagnosis.model_dump_json()
                return web.json_response(text=text, headers=told)
            if model == "colorize":
                ColorizeRequest.model_validate_json(request.headers[headers.COLORIZE])
            else:
                StepRequest.model_validate_json(request.headers[headers.STEP])
            image = _decode(payload).point(lambda level: min(255, level + 60))
        except ServiceError as error:
            text = problem.Problem.of(error).model_dump_json()
            return web.Response(
                status=error.status, text=text, content_type=problem.MEDIA_TYPE, headers=told
            )
        mended = encode(image, photo_format.name)
        if self.shared_folder and shared:
            answer = shared.another()
            answer.file(self.shared_folder).write_bytes(mended)
            told[headers.SHARED], mended = answer.model_dump_json(), b""
        return web.Response(body=mended, content_type=photo_format.media_type, headers=told)

    def _shared(self, request: web.Request) -> Shared | None:
        """The photo that a request names, if it can be seen from here."""
        header = request.headers.get(headers.SHARED)
        if self.shared_folder is None or header is None:
            return None
        shared = Shared.model_validate_json(header)
        return shared if shared.file(self.shared_folder).is_file() else None


def _decode(payload: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(payload)).convert("RGB")
    except (OSError, SyntaxError) as error:  # Pillow's word for a broken PNG
        raise UnreadablePhoto from error


def an_edge(
    name: str,
    url: str,
    session: aiohttp.ClientSession,
    max_reply_bytes: int = 100_000,
    observe: ObserveHop = lambda *_: None,
) -> ModelServer:
    """The gateway's edge to a replica with which it shares no memory."""
    return ModelServer(name, Wire(name, url, session, max_reply_bytes), Sharing(None, 0), observe)


def answers(status: int = 200, body: bytes = b"", **told: str) -> Behaviour:
    async def behave(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=told)

    return behave


class Held:
    """A behaviour that stands still until `go_on`; then it is the replica's ordinary one."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._is_there, self._may_go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self._is_there.set()
        await self._may_go_on.wait()
        return await self._replica._answer(request)

    async def is_there(self) -> None:
        """Wait for the photo; the bound is for a hang."""
        async with asyncio.timeout(60):
            await self._is_there.wait()

    def go_on(self) -> None:
        self._may_go_on.set()


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits that long")


async def cuts_the_connection(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stops_half_way(request: web.Request) -> web.StreamResponse:
    """Declare 1000 bytes, send ten, and fall silent."""
    reply = web.StreamResponse(headers={"Content-Length": "1000"})
    await reply.prepare(request)
    await reply.write(b"\xff\xd8\xff" + bytes(7))
    return await hangs(request)


def rubbish(model: str) -> Behaviour:
    """A reply that says 200 and holds neither a photo nor a diagnosis."""
    return answers(200, b"lorem ipsum", **{headers.MODEL: a_model_reply(model).model_dump_json()})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another task is about to do; the bound is for a hang."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the fake has no event for everything asked here
            await asyncio.sleep(0.01)
