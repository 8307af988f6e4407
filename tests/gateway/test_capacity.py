"""`gateway/capacity.py`: what can be finished in time is taken on, the rest is refused at once."""

import math
from contextlib import ExitStack

import pytest

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import OverCapacity
from darkroom.contracts.plan import SkippedStep, SkipReason
from darkroom.contracts.report import Report
from gateway.addresses import Addresses
from gateway.budget import Budget
from gateway.capacity import HEADROOM, Capacity, Road
from gateway.replica import Replica
from gateway.replicas import Replicas

TONE = Road(("tone",))
ENHANCE = Road(("defects",), ("restore", "tone"))


def a_server(name: str, ms: float, replicas: int = 1) -> Replicas:
    """A model server whose photos of a megapixel have taken so long of late."""
    server = Replicas(Addresses(name, "http://x"), None, None, depth=2)  # type: ignore[arg-type]
    known = [Replica(str(number), None, lambda: 0.0) for number in range(replicas)]  # type: ignore
    server.places.replace({replica.address: replica for replica in known})
    server.taken_up.learn(1, ms)
    return server


def servers(**ms: float) -> dict[str, Replicas]:
    return {name: a_server(name, one) for name, one in ms.items()}


def a_second(*, is_job: bool = False) -> Budget:
    return Budget(1000, 0.0, lambda: 0.0, is_job)


def admitted_at_once(capacity: Capacity, road: Road, budget: Budget) -> int:
    """How many photos of a megapixel are admitted before the first is refused, 200 at most."""
    with ExitStack() as stack:
        for count in range(200):
            try:
                stack.enter_context(capacity.admitted(road, 1, budget))
            except OverCapacity:
                return count
    return 200


def test_as_many_are_admitted_as_can_be_finished():
    """One after another at 50 ms each, in the part of a second that is not kept back."""
    count = admitted_at_once(Capacity(servers(tone=50)), TONE, a_second())

    assert count == math.floor(HEADROOM * a_second().left_ms / 50)


def test_replicas_add_up():
    """Three of them take three times as many, up to the last ones' own time."""
    alone = admitted_at_once(Capacity({"tone": a_server("tone", 50)}), TONE, a_second())
    three = admitted_at_once(Capacity({"tone": a_server("tone", 50, 3)}), TONE, a_second())

    assert three == pytest.approx(3 * alone, abs=3)


def test_slowest_server_decides():
    """While photos wait for `tone`, `defects` gets on: its work is not added to theirs."""
    alone = admitted_at_once(Capacity(servers(tone=50)), TONE, a_second())
    both = admitted_at_once(
        Capacity(servers(defects=40, tone=50)), Road(("defects", "tone")), a_second()
    )

    assert alone - 2 <= both <= alone


def test_refusal_says_when_to_come_back():
    """The seconds until this photo would fit, whole ones and upwards."""
    capacity = Capacity(servers(tone=1000))
    patient = Budget(60_000, 0.0, lambda: 0.0)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(capacity.admitted(TONE, 1, patient))
        with pytest.raises(OverCapacity) as refused, capacity.admitted(TONE, 1, a_second()):
            pass

    assert refused.value.retry_after_s == 6  # five before it and its own, less 0.8 of a second


def test_finished_photos_make_room():
    """A promise ends with its photo, however that went."""
    capacity = Capacity(servers(tone=700))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), capacity.admitted(TONE, 1, a_second()):
            raise ZeroDivisionError

    assert capacity.expected_ms(TONE, 1) == 700


def test_idle_cluster_always_tries():
    """However dear the last photo was: what is not tried is never measured again."""
    capacity = Capacity(servers(tone=100_000))

    assert admitted_at_once(capacity, TONE, a_second()) == 1


def test_unmeasured_cluster_refuses_nobody():
    """It has just started."""
    server = Replicas(Addresses("tone", "http://x"), None, None, depth=2)  # type: ignore[arg-type]

    assert admitted_at_once(Capacity({"tone": server}), TONE, a_second()) == 200


def test_size_never_seen_is_refused_only_for_what_is_ahead():
    """The one photo measured so far was small and cold; a larger one beside it still gets in."""
    capacity = Capacity(servers(tone=300))

    with ExitStack() as stack:
        for megapixels in (1, 4):
            stack.enter_context(capacity.admitted(TONE, megapixels, a_second()))
        with pytest.raises(OverCapacity):  # the larger one promises four times as much
            stack.enter_context(capacity.admitted(TONE, 1, a_second()))


def test_dear_steps_do_not_refuse_photos():
    """They are left out of plans first; the cheapest possible step is what must have room."""
    cheap = admitted_at_once(Capacity(servers(defects=10, tone=50)), ENHANCE, a_second())
    dear = admitted_at_once(
        Capacity(servers(defects=10, tone=50, restore=900)), ENHANCE, a_second()
    )

    assert dear == cheap


def test_slow_network_does_not_refuse_photos_for_a_quick_one():
    """A second is too short for `artistic`; `lite` of the same model server has room."""
    colorize = a_server("colorize", 0)
    colorize.taken_up.learn(1, 3000, "artistic")
    colorize.taken_up.learn(1, 100, "lite")
    capacity = Capacity({"colorize": colorize})

    lite, artistic = (Road(("colorize",), network=name) for name in ("lite", "artistic"))
    assert admitted_at_once(capacity, lite, a_second()) > 5
    assert admitted_at_once(capacity, artistic, a_second()) == 1


def a_report(*skipped: tuple[Enhancer, SkipReason]) -> Report:
    steps = tuple(SkippedStep(enhancer=e, defects=(), reason=reason) for e, reason in skipped)
    diagnosis = Diagnosis(severities=dict.fromkeys(Defect, 0), thresholds=dict.fromkeys(Defect, 1))
    return Report(request_id="", diagnosis=diagnosis, skipped=steps, total_ms=1, budget_ms=1000)


def test_photos_that_need_nothing_promise_less():
    """Where few photos are mended, more of them are taken on."""
    capacity = Capacity(servers(defects=10, tone=50))
    before = admitted_at_once(capacity, ENHANCE, a_second())
    for _ in range(100):
        capacity.learn(a_report())

    assert admitted_at_once(capacity, ENHANCE, a_second()) > 3 * before


def test_steps_left_out_for_want_of_time_were_needed():
    """Or the busiest times would look like the easiest; those not asked for say nothing."""
    capacity = Capacity(servers(defects=10, tone=50))
    for _ in range(100):
        capacity.learn(a_report((Enhancer.TONE, SkipReason.OVER_CAPACITY)))
        capacity.learn(a_report((Enhancer.TONE, SkipReason.NOT_ASKED)))

    assert capacity.expected_ms(ENHANCE, 1) == pytest.approx(60)


def test_jobs_are_never_refused_and_promise_nothing():
    """They wait for idle replicas."""
    capacity = Capacity(servers(tone=400))

    assert admitted_at_once(capacity, TONE, a_second(is_job=True)) == 200
    assert capacity.expected_ms(TONE, 1) == 400
