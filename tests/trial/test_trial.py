"""Whole trials, between model servers of a few lines."""

import pytest

from darkroom.trial import comparing
from darkroom.trial.__main__ import TRIES, is_admitted
from darkroom.trial.comparing import TURNS
from darkroom.trial.samples import TINY
from darkroom.trial.verdict import Limits
from tests.trial.fakes import FakeServer

NOBODY = "http://127.0.0.1:1"
TINY_TURNS = 100


@pytest.fixture(autouse=True)
def _fewer_and_smaller(monkeypatch):
    """What is measured does not depend on how many photos there are, nor on their size."""
    monkeypatch.setattr(comparing, "TINY_TURNS", TINY_TURNS)
    monkeypatch.setattr(comparing, "EVERYDAY", TINY)
    monkeypatch.setattr(comparing, "_PAUSE_S", 0.01)


@pytest.fixture
def tried(capsys):
    """Try one server beside another; whether it may serve, and what was said."""

    def run(newcomer, established):
        with newcomer.running() as new, established.running() as old:
            return is_admitted("tone", new, [NOBODY, old.url], Limits()), capsys.readouterr().out

    return run


def test_as_good_a_version_may_serve(tried):
    """All photos go to the newcomer, a few to its sibling; one line says what came out."""
    newcomer, established = FakeServer("1.0+new"), FakeServer()

    admitted, said = tried(newcomer, established)

    assert admitted
    assert newcomer.asked == TURNS + TINY_TURNS + 1  # one to see that it is ready
    assert established.asked == TURNS + 1  # one to learn its version
    assert "1.0+new of 000000000000 beside 1.0+old of" in said
    assert f"0 of {TURNS + TINY_TURNS} answers wrong, processor time × 1.00" in said
    assert said.count("\n") == 1


def test_two_errors_in_a_hundred_are_refused(tried):
    """It is tried twice, and then its status says no."""
    newcomer = FakeServer("1.0+new", answer=lambda number: 204 if number % 50 else 500)

    admitted, said = tried(newcomer, FakeServer())

    assert not admitted
    assert said.count("REFUSED (wrong answers)") == TRIES


def test_a_slower_version_is_refused_only_if_it_stays_slower(tried):
    """Slow in the first comparison alone: the second one counts."""
    always, at_first = FakeServer("1.0+new", cpu_ms=40.0), FakeServer("1.0+new", cpu_ms=40.0)

    def quicker_later(number: int) -> int:
        at_first.cpu_ms = 40.0 if number < TINY_TURNS else 20.0
        return 204

    at_first.answer = quicker_later

    assert not tried(always, FakeServer())[0]
    admitted, said = tried(at_first, FakeServer())
    assert admitted
    assert said.count("REFUSED (slower)") == 1


def test_another_replica_of_the_same_version_is_not_tried(tried):
    """Scaling up: nothing to compare, however slow the newcomer is just now."""
    newcomer = FakeServer("1.0+old", cpu_ms=90.0)

    admitted, said = tried(newcomer, FakeServer())

    assert admitted
    assert newcomer.asked == 1
    assert "nothing to try it against" in said


def test_the_first_deployment_is_not_tried():
    """Nobody serves at the address, or there is no such address."""
    with FakeServer("1.0+new").running() as newcomer:
        assert is_admitted("tone", newcomer, [NOBODY], Limits())


def test_a_sibling_that_goes_away_does_not_condemn(tried):
    """It answers no more in the middle of the trial: nothing is known against the newcomer."""
    leaving = FakeServer(answer=lambda number: 204 if number < 5 else 503)

    admitted, said = tried(FakeServer("1.0+new"), leaving)

    assert admitted
    assert "that one went away" in said


def test_a_trial_ends_in_time():
    """Without any time it goes by what it has seen: nothing."""
    newcomer = FakeServer("1.0+new")
    with newcomer.running() as new, FakeServer().running() as old:
        assert is_admitted("tone", new, [old.url], Limits(seconds=0.0))

    assert newcomer.asked == 1
