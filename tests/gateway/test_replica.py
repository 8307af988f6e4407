"""`gateway/replica.py`: when a replica loses trust, and how it comes back."""

import pytest

from gateway.replica import FORGIVEN_AFTER_S, LONGEST_PAUSE_S, STRIKES, Replica


@pytest.fixture
def replica(clock):
    replica = Replica("http://replica", None, clock)  # type: ignore[arg-type]
    replica.prove()
    return replica


def fail(replica, times=1, **how):
    for _ in range(times):
        replica.failed("replica_unavailable", may_eject=True, **how)


def test_wrong_answers_in_a_row_eject(replica):
    """Not one less, and a good answer between starts the count again."""
    fail(replica, STRIKES - 1)
    replica.succeeded()
    fail(replica, STRIKES - 1)
    assert replica.trusted

    fail(replica)
    assert not replica.trusted


def test_replica_that_is_not_there_is_ejected_at_once(replica):
    """Connection refused, cut or timed out."""
    fail(replica, at_once=True)

    assert not replica.trusted


def test_failure_that_was_the_photos_fault_is_forgiven(replica):
    """Another replica failed on the same photo."""
    for _ in range(10):
        fail(replica)
        replica.forgive()

    assert replica.trusted


def test_too_few_others_keep_it(replica):
    """Where most seem to fail the fault is elsewhere, and nobody is ejected."""
    for _ in range(10):
        replica.failed("replica_unavailable", may_eject=False)

    assert replica.trusted


def test_return_is_half_open(replica):
    """After a probe the first failure ejects again; after one good answer it has its strikes."""
    fail(replica, at_once=True)
    replica.prove()
    fail(replica)
    assert not replica.trusted

    replica.prove()
    replica.succeeded()
    fail(replica, STRIKES - 1)
    assert replica.trusted


def test_pauses_grow_and_are_forgotten(replica, clock):
    """1, 2, 4 … 15 seconds out of traffic; a good minute later it starts with one again."""
    pauses = []
    for _ in range(6):
        fail(replica, at_once=True)
        began = clock.now
        while not replica.may_return:
            clock.now += 1
        pauses.append(clock.now - began)
        replica.prove()
    assert pauses == [1, 2, 4, 8, LONGEST_PAUSE_S, LONGEST_PAUSE_S]

    clock.now += FORGIVEN_AFTER_S
    fail(replica, at_once=True)
    clock.now += 1
    assert replica.may_return


def test_new_replica_may_be_probed_at_once(clock):
    """It has done nothing wrong yet."""
    assert Replica("http://new", None, clock).may_return  # type: ignore[arg-type]
