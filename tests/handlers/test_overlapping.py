import threading

import pytest

from handlers.overlapping import GROUPS_AHEAD, THREADS_VARIABLE, Overlap, threads_of

NO_HANG_S = 30  # far from what anything here takes


def test_every_item_goes_through_all_stages_in_order():
    """Groups reach `find` in order and whole, results are those of their items."""
    looked, groups = set(), []

    def find(group):
        assert looked >= {*group}
        groups.append([*group])

    done = Overlap(threads=2, at_once=3).run(range(7), looked.add, find, lambda item: -item)

    assert done == [0, -1, -2, -3, -4, -5, -6]
    assert groups == [[0, 1, 2], [3, 4, 5], [6]]


def test_the_next_are_looked_at_and_the_last_finished_meanwhile():
    """While the network is at work on 1, photo 2 is looked at and photo 0 finished."""
    looked_at = [threading.Event() for _ in range(3)]
    finished = [threading.Event() for _ in range(3)]

    def find(group):
        if [*group] == [1]:
            assert looked_at[2].wait(NO_HANG_S)
            assert finished[0].wait(NO_HANG_S)

    Overlap(threads=1, at_once=1).run(
        range(3), lambda item: looked_at[item].set(), find, lambda item: finished[item].set()
    )


def test_no_more_is_read_than_will_soon_be_needed():
    """The pixels of a large batch are never all in memory."""
    looked, ahead = [], []

    def find(group):
        ahead.append(len(looked) - group[0])

    Overlap(threads=4, at_once=2).run(range(40), looked.append, find, lambda _: None)

    assert max(ahead) <= 2 * GROUPS_AHEAD


@pytest.mark.parametrize("stage", range(3))
def test_what_is_raised_is_raised_again(stage):
    """In whichever thread it was."""

    def fail(_):
        raise ArithmeticError

    stages = [lambda _: None] * 3
    stages[stage] = fail

    with pytest.raises(ArithmeticError):
        Overlap(threads=2, at_once=2).run(range(5), *stages)


def test_threads_begin_with_the_first_batch():
    """A server that never gets one has none."""
    before = threading.active_count()
    overlap = Overlap(threads=3, at_once=3)
    assert threading.active_count() == before

    overlap.run(range(2), lambda _: None, lambda _: None, lambda _: None)

    assert before < threading.active_count() <= before + 3


def test_without_a_word_there_is_one_thread():
    assert threads_of({}) == threads_of({THREADS_VARIABLE: ""}) == 1
    assert threads_of({THREADS_VARIABLE: "4"}) == 4


@pytest.mark.parametrize("value", ["0", "-2", "many"])
def test_a_number_of_threads_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=THREADS_VARIABLE):
        threads_of({THREADS_VARIABLE: value})
