"""Is the cluster able to mend a photo? Asked of every model server with a tiny photo.

TorchServe's own `/ping` counts workers that never failed as healthy, loaded or not, so only a real
prediction says anything.
"""

import asyncio
import struct
import time
import zlib
from collections.abc import Awaitable

from pydantic import BaseModel

from darkroom.contracts.defects import MENDS, Enhancer
from darkroom.contracts.errors import OutOfTime, ServiceError
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import ColorizeRequest, StepRequest
from darkroom.imaging.header import Format
from gateway.budget import Budget, Clock
from gateway.enhancing import Enhancing
from gateway.model_server import DiagnosisReply, ModelServer, Reply
from gateway.replicas import Replicas

KEPT_S = 1.0  # however many probes ask, each model server sees one prediction a second
PROBE_MS = 2000  # a busy cluster is still a ready one


class Readiness(BaseModel, frozen=True):
    """The body of `GET /readyz`: each model server with `ok` or the code of its error."""

    ready: bool
    servers: dict[str, str]
    jobs: dict[str, str] = {}  # database and worker likewise; photos are mended without them


class Probe:
    """Asks all model servers at once; callers within a second share one answer."""

    def __init__(
        self,
        enhancing: Enhancing,
        colorizer: Replicas | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._enhancing = enhancing
        self._colorizer = colorizer
        self._clock = clock
        self._asked_at = 0.0
        self._answer: asyncio.Task[Readiness] | None = None

    async def readiness(self) -> Readiness:
        is_running = self._answer is not None and not self._answer.done()
        if self._answer is None or not (is_running or self._clock() < self._asked_at + KEPT_S):
            self._asked_at = self._clock()
            self._answer = asyncio.create_task(self._ask_all())
        # Shielded: a probe that hangs up must not take the answer from the others.
        return await asyncio.shield(self._answer)

    async def _ask_all(self) -> Readiness:
        asked: dict[str, Awaitable[object]] = {"defects": probe_defects(self._enhancing.defects)}
        for enhancer, server in self._enhancing.enhancers.items():
            asked[enhancer] = probe_enhancer(server, enhancer)
        if self._colorizer is not None:
            asked["colorize"] = probe_colorizer(self._colorizer)
        outcomes = await asyncio.gather(*(_outcome(call) for call in asked.values()))
        servers = dict(zip(asked, outcomes, strict=True))
        # A photo may take a colorizer many seconds: that is no reason to send nobody here.
        busy = servers.get("colorize") == OutOfTime.code
        words = [word for name, word in servers.items() if name != "colorize" or not busy]
        return Readiness(ready=all(word == "ok" for word in words), servers=servers)


async def probe_defects(server: ModelServer | Replicas) -> DiagnosisReply:
    """Ask for a diagnosis of the tiny photo. Raises as `ModelServer` does."""
    return await server.diagnose(TINY_PHOTO, Budget.start(PROBE_MS), "readyz")


async def probe_enhancer(server: ModelServer | Replicas, enhancer: Enhancer) -> Reply:
    """Ask for the tiny photo with all steps of an enhancer. Raises as `ModelServer` does."""
    step = StepRequest(enhancer=enhancer, defects=dict.fromkeys(MENDS[enhancer], 0.5))
    return await server.enhance(TINY_PHOTO, Format.PNG, step, Budget.start(PROBE_MS), "readyz")


async def probe_colorizer(server: ModelServer | Replicas) -> Reply:
    """Ask for the tiny photo in colour, by the network that is always there."""
    asked, budget = ColorizeRequest(model=ColorModel.LITE), Budget.start(PROBE_MS)
    if isinstance(server, Replicas):
        return await server.ask(
            lambda r: r.colorize(TINY_PHOTO, Format.PNG, asked, budget, "readyz"),
            TINY_PHOTO,
            budget,
        )
    return await server.colorize(TINY_PHOTO, Format.PNG, asked, budget, "readyz")


async def _outcome(call: Awaitable[object]) -> str:
    try:
        await call
    except ServiceError as error:
        return error.code
    return "ok"


def _tiny_photo() -> bytes:
    """A PNG of 48×32 px in soft colours, written by hand: the gateway has no codecs."""
    width, height = 48, 32
    rows = b"".join(
        b"\0" + b"".join(bytes((2 * x + 80, 3 * y + 60, 120)) for x in range(width))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


TINY_PHOTO = _tiny_photo()
