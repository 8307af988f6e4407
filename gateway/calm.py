"""Jobs keep off while clients are about.

A photo that a model server has begun cannot be interrupted, and on one machine all share the cores.
So it is not enough that waiting jobs let clients pass: until clients have been quiet for a while,
jobs begin one by one, seconds apart. A lone job, somebody's photo on the page, begins at once; an
album takes its time, but it goes on beside clients who never leave. Nor is it taken in at one go.
"""

import asyncio
import math
import time

from aiohttp import web

from gateway.budget import Clock

CALM_S = 2.0  # without a client's photo
PACE_S = 4.0  # from job to job where it is not calm
PATIENCE_S = 8.0  # of a job: one worker, with its two at once, does 15 a minute in any case
BREATH_S = 0.01  # between the photos of an order where it is not calm: a thousand take ten seconds


class Calm:
    """Knows when a client has last sent a photo to this gateway, and when a job last began."""

    def __init__(
        self,
        calm_s: float = CALM_S,
        pace_s: float = PACE_S,
        patience_s: float = PATIENCE_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._calm_s = calm_s
        self._pace_s = pace_s
        self._patience_s = patience_s
        self._clock = clock
        self._calm_from = -math.inf
        self._next_turn = -math.inf

    def disturb(self) -> None:
        """A client's photo has come."""
        self._calm_from = self._clock() + self._calm_s

    async def wait(self) -> None:
        """Return once it is calm, when it is a job's turn again, or when this one waited enough."""
        enough = self._clock() + self._patience_s
        while (until := min(self._calm_from, self._next_turn, enough)) > self._clock():  # noqa: ASYNC110 - a time
            await asyncio.sleep(until - self._clock())
        self._next_turn = self._clock() + self._pace_s

    async def breathe(self) -> None:
        """Leave the event loop and the cores to clients for a moment, if there are any."""
        if self._clock() < self._calm_from:
            await asyncio.sleep(BREATH_S)


CALM = web.AppKey("calm", Calm)
