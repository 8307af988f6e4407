"""What measurements amount to: `benchmark/figures.py`, `peers`, `overload.py`, `rates.py`."""

import pytest

from benchmark.figures import dollars_per_1000, quantile, slope_per_minute
from benchmark.open_loop import Answer
from benchmark.overload import amount_to as of_overload
from benchmark.peers.__main__ import RAW
from benchmark.peers.__main__ import amount_to as of_peers
from benchmark.rates import STEP, Search, share_in_time


def test_quantile_is_one_of_the_values():
    """In any order; of nothing it is 0."""
    values = [5.0, 1.0, 3.0, 2.0, 4.0]

    assert (quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99)) == (1, 3, 5)
    assert quantile([], 0.95) == 0


def test_price_of_a_thousand_photos():
    """36 ms each are a hundredth of a core's hour together."""
    assert dollars_per_1000(36, core_hour=0.04) == pytest.approx(0.0004)


def test_slope_of_what_grows():
    """A megabyte each second, with a wobble that evens out; one sample says nothing."""
    samples = [(0.0, 101.0), (1.0, 100.0), (2.0, 101.0), (3.0, 104.0)]

    assert slope_per_minute(samples) == pytest.approx(60)
    assert slope_per_minute(samples[:1]) == 0


def a_run(per_s, cpu_ms):
    return {"per_s": per_s, "cpu_ms": cpu_ms, "p50_ms": 1.0}


def test_shares_are_of_the_limit_in_the_same_round():
    """The machine was half as fast in the second round, for both."""
    runs = {
        RAW: [a_run(100, 20), a_run(50, 40), a_run(50, 40)],
        "peer": [a_run(80, 25), a_run(40, 50), a_run(45, 50)],
    }
    results = of_peers(runs, {RAW: 200.0, "peer": 500.0}, core_hour=0.04)

    assert results["peer"]["share_of_limit"] == 0.8
    assert results["peer"]["share_by_cpu"] == 0.8
    assert results[RAW]["share_of_limit"] == 1
    assert results["peer"]["pss_mb"] == 500
    assert results["peer"]["dollars_per_1000"] == pytest.approx(50 / 3600 * 0.04, abs=1e-5)


def test_overload_in_numbers():
    """Of ten photos five come in time, one late, three are refused, one is lost: 2 s, peak 3/s."""
    answers = [Answer(200, 100.0, {})] * 5 + [Answer(200, 1500.0, {})]
    answers += [Answer(429, 10.0, {})] * 3 + [Answer(0, 10_000.0, {})]
    memory = [(0.0, 100.0), (1.0, 200.0), (2.0, 201.0)]
    numbers = of_overload(answers, 3.0, 2.0, memory)

    assert numbers["goodput_of_peak"] == pytest.approx(5 / 2 / 3, abs=1e-3)
    assert (numbers["refused_share"], numbers["refused_p95_ms"]) == (0.3, 10)
    assert numbers["accepted_p99_ms"] == 1500
    assert numbers["neither"] == 1
    assert numbers["memory_mb_per_minute"] == 60  # of the second half alone


def test_refusals_and_late_answers_break_the_promise():
    """Nothing to mend is an answer."""
    answers = [Answer(200, 900, {}), Answer(204, 20, {}), Answer(429, 2, {}), Answer(200, 1100, {})]

    assert share_in_time(answers) == 0.5


@pytest.mark.parametrize("capacity", [20.0, 37.0, 70.0])
def test_search_ends_at_the_highest_rate_that_is_kept(capacity):
    """Wherever it starts, to within one step."""
    search = Search(40.0)
    for _ in range(20):
        if search.is_over:
            break
        search.learn(1.0 if search.rate <= capacity else 0.5, 100.0)

    assert capacity / STEP / 1.01 < search.kept <= capacity
    assert len(search.tried) < 15
