"""The time a request has left."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

ANSWER_MS = 5  # kept back from the hops, so that the answer itself leaves before the deadline

Clock = Callable[[], float]  # seconds, monotonic


@dataclass(frozen=True)
class Budget:
    """The deadline of one request, on a monotonic clock that is passed in."""

    total_ms: int
    started: float
    clock: Clock
    is_job: bool = False  # nobody waits at the other end: it is spent behind everybody else's

    @classmethod
    def start(
        cls, total_ms: int, clock: Clock = time.monotonic, *, is_job: bool = False
    ) -> "Budget":
        return cls(total_ms, clock(), clock, is_job)

    def keeping_back(self, ms: float) -> "Budget":
        """The same for one part of the work, with so much left for what comes after it."""
        return replace(self, total_ms=self.total_ms - math.ceil(ms))

    @property
    def spent_ms(self) -> float:
        return (self.clock() - self.started) * 1000

    @property
    def left_ms(self) -> float:
        """Milliseconds left for hops; 0 once there is only time to answer."""
        return max(0.0, self.total_ms - ANSWER_MS - self.spent_ms)
