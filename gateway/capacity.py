"""Whether a photo can be finished in its budget, told before anything is done for it.

The estimate, for the model servers on the photo's road:

    most work promised at any one of them, per replica  +  what this photo itself takes at each

The most, not the sum: while a photo waits for the slowest server, the others get on. Promised is
what the photos already admitted cost on average; this photo's own time is what nine of ten do not
exceed, where one of its size has been seen. Both are measured (`gateway/service_times.py`), so a
busy machine is a slow one and takes on less.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from darkroom.contracts.errors import OverCapacity
from darkroom.contracts.plan import SkipReason
from darkroom.contracts.report import Report
from gateway.budget import Budget
from gateway.replicas import Replicas

HEADROOM = 0.75  # of the time left may be spent by the estimate; the rest is for its error
OWN_SHARE = 0.9
LEARNING_RATE = 0.05  # of one photo, in how often an enhancer is needed

_NOT_VISITED = (SkipReason.NOT_ASKED, SkipReason.NOT_IN_CLUSTER)


@dataclass(frozen=True)
class Road:
    """The model servers that a photo may visit, by name.

    Of the `possible` ones only the cheapest counts here: the dearer are left out of a plan, as far
    as they have to be, before a photo is refused.
    """

    certain: tuple[str, ...]
    possible: tuple[str, ...] = ()
    network: str = ""  # asked for by name, where a model server has several


class Capacity:
    """Keeps account of the time promised at each model server."""

    def __init__(self, servers: Mapping[str, Replicas]) -> None:
        self._servers = servers
        self._promised_ms: Counter[str] = Counter()
        self._needed: dict[str, float] = {}  # share of the photos that an enhancer is needed for
        self._admitted = 0

    @contextmanager
    def admitted(self, road: Road, megapixels: float, budget: Budget) -> Iterator[None]:
        """Promise this photo its time for as long as it is in hand.

        Jobs wait for idle replicas, whatever else there is, and so take nobody's time.

        Raises:
            OverCapacity: it could not be finished in time, with the seconds until it could.
        """
        if budget.is_job:
            yield
            return
        shares = self._shares(road, megapixels)
        if self._admitted:  # an idle cluster always tries, however wrong its memory may be
            excess_ms = self._estimate(road, shares, megapixels) - HEADROOM * budget.left_ms
            if excess_ms > 0:
                raise OverCapacity(retry_after_s=math.ceil(excess_ms / 1000))
        promised = {
            name: share * self._servers[name].taken_up.mean_ms(megapixels, road.network)
            for name, share in shares.items()
        }
        self._admitted += 1
        self._promised_ms.update(promised)
        try:
            yield
        finally:
            self._admitted -= 1
            self._promised_ms.subtract(promised)

    def expected_ms(self, road: Road, megapixels: float) -> float:
        """Milliseconds after which a photo that came now would be answered."""
        return self._estimate(road, self._shares(road, megapixels), megapixels)

    def learn(self, report: Report) -> None:
        """Remember which enhancers a photo has needed."""
        if report.diagnosis is None:
            return
        steps = (*report.steps, *report.undone)
        needed = {step.enhancer.value for step in steps}
        needed |= {s.enhancer.value for s in report.skipped if s.reason not in _NOT_VISITED}
        unknown = {s.enhancer.value for s in report.skipped if s.reason in _NOT_VISITED}
        for name in self._servers.keys() - unknown:
            before = self._needed.get(name, 1.0)
            self._needed[name] = before + LEARNING_RATE * ((name in needed) - before)

    def _shares(self, road: Road, megapixels: float) -> dict[str, float]:
        possible = [name for name in road.possible if name in self._servers]
        shares = {name: 1.0 for name in road.certain if name in self._servers}
        if possible:
            cheapest = min(possible, key=lambda n: self._servers[n].taken_up.mean_ms(megapixels))
            shares[cheapest] = self._needed.get(cheapest, 1.0)
        return shares

    def _estimate(self, road: Road, shares: Mapping[str, float], megapixels: float) -> float:
        ahead = max(
            (self._promised_ms[name] / max(1, len(self._servers[name].places.live)))
            for name in shares
        )
        # A size never seen is no reason to refuse: borrowed from the first, cold photo of a small
        # one, its time would be many times too long.
        return ahead + sum(
            share * times.quantile_ms(megapixels, OWN_SHARE, road.network)
            for name, share in shares.items()
            if (times := self._servers[name].taken_up).count(megapixels, road.network)
        )
