"""One replica of a model server: what is under way there, and whether it is to be trusted."""

from collections import Counter

from darkroom.contracts.report import ModelReply
from gateway.budget import Clock
from gateway.model_server import ModelServer

STRIKES = 3  # wrong answers in a row: one may be the photo's fault
SHORTEST_PAUSE_S = 1.0  # out of traffic after the first ejection; doubled for each one after
LONGEST_PAUSE_S = 15.0
FORGIVEN_AFTER_S = 60.0  # of good behaviour


class Replica:
    """An address with its counts. Whoever calls it says how that went."""

    def __init__(self, address: str, server: ModelServer, clock: Clock) -> None:
        self.address = address
        self.server = server
        self.trusted = False  # gets photos of clients
        self.outstanding = 0
        self.last_answer = 0.0  # by the clock: until then it was busy with an earlier photo
        self.serves = ""  # model, version and weights, as it says with its answers
        self.outcomes: Counter[str] = Counter()
        self._clock = clock
        self._strikes = 0
        self._ejections = 0
        self._ejected_at = -FORGIVEN_AFTER_S

    def succeeded(self) -> None:
        """It has answered a client's photo as it should."""
        self._strikes = 0
        self.outcomes["ok"] += 1

    def is_serving(self, by: ModelReply) -> None:
        self.serves = f"{by.model} {by.version} {by.weights_sha256}"

    def failed(self, outcome: str, *, may_eject: bool, at_once: bool = False) -> None:
        """It has not; `at_once` where nobody is there at all."""
        self.outcomes[outcome] += 1
        self._strikes += 1
        if self.trusted and may_eject and (at_once or self._strikes >= STRIKES):
            self._eject()

    def forgive(self) -> None:
        """Take the last failure back."""
        self._strikes = max(0, self._strikes - 1)

    def prove(self) -> None:
        """It has answered a probe. Half open: after an ejection, the first failure is the last."""
        self.trusted = True
        self._strikes = STRIKES - 1 if self._ejections else 0

    @property
    def may_return(self) -> bool:
        """Whether an untrusted replica is to be probed again."""
        pause = min(SHORTEST_PAUSE_S * 2.0 ** (self._ejections - 1), LONGEST_PAUSE_S)
        return not self._ejections or self._clock() >= self._ejected_at + pause

    def _eject(self) -> None:
        now = self._clock()
        self._ejections = 1 if now > self._ejected_at + FORGIVEN_AFTER_S else self._ejections + 1
        self._ejected_at = now
        self.trusted = False
