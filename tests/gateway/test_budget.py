"""`gateway/budget.py`: the time a request has left."""

from gateway.budget import ANSWER_MS, Budget


def test_budget_runs_down_with_the_clock():
    """What is left is the total, less what passed, less what the answer itself takes."""
    now = 100.0
    budget = Budget.start(1000, lambda: now)
    now = 100.25

    assert budget.spent_ms == 250
    assert budget.left_ms == 750 - ANSWER_MS


def test_time_can_be_kept_back_for_what_comes_after():
    """Both parts of the work have the same beginning."""
    now = 100.0
    budget = Budget.start(1000, lambda: now)
    now = 100.25

    assert budget.keeping_back(199.5).left_ms == budget.left_ms - 200


def test_nothing_is_left_after_the_deadline():
    """Never a negative time, which a timeout would misread."""
    now = 0.0
    budget = Budget.start(1000, lambda: now)
    now = 2.0

    assert budget.left_ms == 0
