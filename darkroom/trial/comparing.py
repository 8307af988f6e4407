"""A newcomer beside an established sibling: the same photos to both, and how the answers differ."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.report import ModelReply
from darkroom.trial.measures import light_db, misjudged, nearness_db
from darkroom.trial.replica import Answer, NoAnswer, Replica
from darkroom.trial.samples import EVERYDAY, TINY, Sample, samples_for
from darkroom.trial.verdict import Difference, Findings, Times

TURNS = 12  # everyday photos to each: all that are asked of the sibling, which has clients
TINY_TURNS = 600  # to the newcomer: failing in 2 %, it shows less than four in one of 400 trials
_GONE_AFTER = 6  # failures in a row
_PAUSE_S = 0.5  # after each, for a sibling that has too much to do


class Gone(Exception):
    """The established sibling answers no more: nothing can be said of the newcomer."""


@dataclass
class _Record:
    """What one replica makes of some samples, sent round and round."""

    replica: Replica
    samples: Sequence[Sample]
    asked: int = 0
    failed_in_a_row: int = 0
    told: list[ModelReply] = field(default_factory=list)  # with each answer
    latest: dict[int, Answer] = field(default_factory=dict)  # by number of the sample

    def ask(self) -> None:
        number = self.asked % len(self.samples)
        self.asked += 1
        try:
            answer = self.replica.ask(self.samples[number])
        except NoAnswer:
            self.failed_in_a_row += 1
            return
        self.failed_in_a_row = 0
        self.told.append(answer.by)
        self.latest[number] = answer

    @property
    def wrong(self) -> int:
        return self.asked - len(self.told)

    @property
    def times(self) -> Times:
        return Times(
            cpu_ms=[by.cpu_ms for by in self.told],
            stages_ms=[by.stages.total_ms for by in self.told],
        )

    def differences(self, other: Self) -> list[Difference]:
        """From another's answers to the same samples."""
        both = sorted(self.latest.keys() & other.latest.keys())
        return [
            _difference(self.latest[number], other.latest[number], self.samples[number])
            for number in both
        ]


def compare(model: str, newcomer: Replica, established: Replica, seconds: float) -> Findings:
    """Try `newcomer` for about so many seconds at most.

    Raises:
        Gone: the sibling went away meanwhile.
    """
    ends = time.monotonic() + seconds
    everyday = samples_for(model, EVERYDAY)
    ours, theirs = _Record(newcomer, everyday), _Record(established, everyday)
    while ours.asked < TURNS and time.monotonic() < ends:
        ours.ask()
        theirs.ask()
        if theirs.failed_in_a_row >= _GONE_AFTER:
            raise Gone(established.url)
        if theirs.failed_in_a_row:
            time.sleep(_PAUSE_S)
    small = _Record(newcomer, samples_for(model, TINY))
    while small.asked < TINY_TURNS and time.monotonic() < ends:
        small.ask()
    return Findings(
        newcomer=ours.times,
        established=theirs.times,
        asked=ours.asked + small.asked,
        wrong=ours.wrong + small.wrong,
        differences=ours.differences(theirs),
    )


def _difference(ours: Answer, theirs: Answer, sample: Sample) -> Difference:
    if isinstance(ours.result, Diagnosis) and isinstance(theirs.result, Diagnosis):
        return Difference(severity=misjudged(ours.result, theirs.result, sample.defect))
    assert not isinstance(ours.result, Diagnosis)
    assert not isinstance(theirs.result, Diagnosis)
    nearer = nearness_db(ours.result, sample.clean) - nearness_db(theirs.result, sample.clean)
    return Difference(light_db(ours.result) - light_db(theirs.result), nearer)
