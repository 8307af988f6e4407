"""Is the cluster able to mend a photo? Asked of every model server with a tiny photo.

TorchServe's own `/ping` counts workers that never failed as healthy, loaded or not, so only a real
prediction says anything.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping

from pydantic import BaseModel

from darkroom.contracts.errors import OutOfTime, ServiceError
from gateway.budget import Clock
from gateway.probes import probing
from gateway.replicas import Replicas

KEPT_S = 1.0  # however many probes ask, each model server sees one prediction a second


class Readiness(BaseModel, frozen=True):
    """The body of `GET /readyz`: each model server with `ok` or the code of its error."""

    ready: bool
    servers: dict[str, str]
    jobs: dict[str, str] = {}  # database and worker likewise; photos are mended without them


class Probe:
    """Asks all model servers at once; callers within a second share one answer."""

    def __init__(self, servers: Mapping[str, Replicas], clock: Clock = time.monotonic) -> None:
        self._servers = servers
        self._clock = clock
        self._asked_at = 0.0
        self._answer: asyncio.Task[Readiness] | None = None
        self._was_ready = False

    async def readiness(self) -> Readiness:
        is_running = self._answer is not None and not self._answer.done()
        if self._answer is None or not (is_running or self._clock() < self._asked_at + KEPT_S):
            self._asked_at = self._clock()
            self._answer = asyncio.create_task(self._ask_all())
        # Shielded: a probe that hangs up must not take the answer from the others.
        return await asyncio.shield(self._answer)

    async def _ask_all(self) -> Readiness:
        asked = (server.ask(probing(name)) for name, server in self._servers.items())
        outcomes = await asyncio.gather(*map(_outcome, asked))
        servers = dict(zip(self._servers, outcomes, strict=True))
        # A photo may take a colorizer many seconds: that is no reason to send nobody here.
        busy = servers.get("colorize") == OutOfTime.code
        words = [word for name, word in servers.items() if name != "colorize" or not busy]
        ready = all(word == "ok" for word in words)
        if ready and not self._was_ready:
            self._was_ready = True
            for server in self._servers.values():
                server.forget_times()  # of starting: no photo takes as long from now on
        return Readiness(ready=ready, servers=servers)


async def _outcome(call: Awaitable[object]) -> str:
    try:
        await call
    except ServiceError as error:
        return error.code
    return "ok"
