"""What a trial has measured, and whether that is good enough. Pure arithmetic."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from statistics import median
from typing import Self

from darkroom.trial.samples import SCENES

_FEWEST_TIMES = 5  # of either side, or times are not compared
_FEWEST_WRONG = 2  # a single wrong answer may be the machine's


@dataclass(frozen=True)
class Limits:
    """By how much a newcomer may be worse; field `slower` is the variable DARKROOM_TRIAL_SLOWER."""

    slower: float = 1.5  # times the established one's time for a photo
    errors: float = 0.005  # share of wrong or missing answers
    db: float = 2.0  # of light, either way, and of nearness to the clean photo
    severity: float = 0.4  # by which a defect is missed or made up
    seconds: float = 120.0  # for one comparison

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The environment's. Raises ValueError where one of them is no number."""
        names = {f.name: f"DARKROOM_TRIAL_{f.name.upper()}" for f in dataclasses.fields(cls)}
        return cls(
            **{f: float(environment[name]) for f, name in names.items() if environment.get(name)}
        )


@dataclass(frozen=True)
class Times:
    """What photos of one size took, in milliseconds, in the order they were sent."""

    cpu_ms: Sequence[float]
    stages_ms: Sequence[float]  # by the clock


@dataclass(frozen=True)
class Difference:
    """Between what the two made of one photo: of enhancers in dB, of `defects` in severity."""

    light_db: float = 0.0  # positive: the newcomer's photo is brighter
    nearer_db: float = 0.0  # to the clean photo
    severity: float = 0.0  # missed or made up by the newcomer


@dataclass(frozen=True)
class Findings:
    """What a newcomer did beside an established sibling, over the same photos."""

    newcomer: Times
    established: Times
    asked: int  # photos sent to the newcomer
    wrong: int  # of these, how many had no answer or a wrong one
    differences: Sequence[Difference] = ()

    @property
    def cpu_ratio(self) -> float:
        return _ratio(self.newcomer.cpu_ms, self.established.cpu_ms, median)

    @property
    def clock_ratio(self) -> float:
        """The newcomer's fastest photo by the sibling's usual one: tells of a version that waits.

        On a busy machine the clock says little: the newcomer shares its processors with a sibling
        at work, which itself is timed beside an idle newcomer. So it has the benefit of the doubt.
        """
        return _ratio(self.newcomer.stages_ms, self.established.stages_ms, min)

    @property
    def difference(self) -> Difference:
        """The usual one."""
        if not self.differences:
            return Difference()
        # A defect that is missed is missed in as many photos as there are of it, not in most.
        worst = nlargest(SCENES, (one.severity for one in self.differences))
        return Difference(
            light_db=median(one.light_db for one in self.differences),
            nearer_db=median(one.nearer_db for one in self.differences),
            severity=worst[-1],
        )

    def __str__(self) -> str:
        usual = self.difference
        return (
            f"{self.wrong} of {self.asked} answers wrong, processor time × {self.cpu_ratio:.2f}, "
            f"time × {self.clock_ratio:.2f}, light {usual.light_db:+.1f} dB, "
            f"nearness {usual.nearer_db:+.1f} dB, severity {usual.severity:+.2f}"
        )


def _ratio(
    ours: Sequence[float], theirs: Sequence[float], of: Callable[[Sequence[float]], float]
) -> float:
    """What is taken of ours, by the usual one of theirs; 1 where there is too little to tell."""
    if min(len(ours), len(theirs)) < _FEWEST_TIMES or median(theirs) == 0:
        return 1.0
    return of(ours) / median(theirs)


def faults(findings: Findings, limits: Limits) -> list[str]:
    """What the newcomer does worse than it may; nothing where it is good enough."""
    usual = findings.difference
    said = {
        "wrong answers": findings.wrong > limits.errors * findings.asked
        and (findings.wrong >= _FEWEST_WRONG or findings.wrong == findings.asked),
        "slower": max(findings.cpu_ratio, findings.clock_ratio) > limits.slower,
        "darker": usual.light_db < -limits.db,
        "brighter": usual.light_db > limits.db,
        "further from clean photos": usual.nearer_db < -limits.db,
        "defects missed or made up": usual.severity > limits.severity,
    }
    return [fault for fault, is_so in said.items() if is_so]
