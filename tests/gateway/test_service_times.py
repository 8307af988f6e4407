"""`gateway/service_times.py`: what a photo costs, by its size."""

import pytest

from gateway.service_times import ServiceTimes, Window


def test_window_forgets_its_oldest_value():
    """Mean and quantiles are of the last values only."""
    window = Window(size=4)
    for value in (1000, 1, 2, 3, 4):
        window.add(value)

    assert window.mean == 2.5
    assert (window.quantile(0), window.quantile(0.5), window.quantile(1)) == (1, 3, 4)


def test_unknown_costs_nothing():
    """A cluster that has just started refuses nobody."""
    times = ServiceTimes()

    assert (times.mean_ms(12), times.quantile_ms(12, 0.9), times.count(12)) == (0, 0, 0)


def test_sizes_are_told_apart():
    """A photo of 12 megapixels says nothing of one of 1.2 that has been measured itself."""
    times = ServiceTimes()
    times.learn(1.2, 10)
    times.learn(12, 60)

    assert (times.mean_ms(1.3), times.mean_ms(11)) == (10, 60)


@pytest.mark.parametrize(("megapixels", "ms"), [(12, 80), (0.5, 5)])
def test_unmeasured_size_borrows_from_the_nearest(megapixels, ms):
    """In proportion: three doublings up, one down."""
    times = ServiceTimes()
    times.learn(1.2, 10)

    assert times.mean_ms(megapixels) == ms


def test_networks_of_one_server_are_told_apart():
    """What `artistic` takes says nothing of `lite`, nor of one nobody has asked for."""
    times = ServiceTimes()
    times.learn(1.2, 8000, "artistic")
    times.learn(1.2, 150, "lite")

    assert times.mean_ms(1.2, "artistic") == 8000
    assert times.quantile_ms(1.2, 0.9, "lite") == 150
    assert (times.mean_ms(1.2, "stable"), times.count(1.2, "stable")) == (0, 0)
