"""Jobs keep off while clients are about.

A photo that a model server has begun cannot be interrupted, and on one machine all share the cores.
So it is not enough that waiting jobs let clients pass: none is begun until clients have been quiet
for a while. Beside clients who never are, each job waits its time and is then begun all the same.
"""

import asyncio
import math
import time

from gateway.budget import Clock

CALM_S = 2.0  # without a client's photo; at three a second a job meets one in 400
PATIENCE_S = 4.0  # of a job: so one worker, with its two at once, does 30 a minute in any case


class Calm:
    """Knows when a client has last sent a photo to this gateway."""

    def __init__(
        self,
        calm_s: float = CALM_S,
        patience_s: float = PATIENCE_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._calm_s = calm_s
        self._patience_s = patience_s
        self._clock = clock
        self._calm_from = -math.inf

    def disturb(self) -> None:
        """A client's photo has come."""
        self._calm_from = self._clock() + self._calm_s

    async def wait(self) -> None:
        """Return once it is calm, or when a job has waited long enough."""
        enough = self._clock() + self._patience_s
        while (rest_s := min(self._calm_from, enough) - self._clock()) > 0:  # noqa: ASYNC110 - a time
            await asyncio.sleep(rest_s)
