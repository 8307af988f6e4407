"""`gateway/planning.py`: which steps, and whether they fit the time."""

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.plan import SkipReason
from gateway.planning import FORGET_S, Costs, plan_steps

FOUND = (Defect.LOW_LIGHT, Defect.ROTATION, Defect.NOISY)


def reasons(plan):
    return {step.enhancer: step.reason for step in plan.skipped}


def test_steps_follow_the_order_of_mending():
    """Restore, straighten, tone, however bad each defect is."""
    plan = plan_steps(FOUND, tuple(Enhancer), tuple(Enhancer), {}, left_ms=900)

    assert [s.enhancer for s in plan.steps] == [
        Enhancer.RESTORE,
        Enhancer.STRAIGHTEN,
        Enhancer.TONE,
    ]
    assert plan.skipped == ()


def test_steps_left_out_say_why():
    """Not asked for, and not part of this cluster."""
    plan = plan_steps(FOUND, (Enhancer.TONE, Enhancer.RESTORE), (Enhancer.TONE,), {}, left_ms=900)

    assert [step.enhancer for step in plan.steps] == [Enhancer.TONE]
    assert reasons(plan) == {
        Enhancer.RESTORE: SkipReason.NOT_IN_CLUSTER,
        Enhancer.STRAIGHTEN: SkipReason.NOT_ASKED,
    }


def test_steps_share_the_time_left():
    """Each alone fits 500 ms; both together do not."""
    expected = {Enhancer.RESTORE: 300.0, Enhancer.TONE: 250.0}
    plan = plan_steps(
        (Defect.NOISY, Defect.HAZY), tuple(Enhancer), tuple(Enhancer), expected, left_ms=500
    )

    assert [step.enhancer for step in plan.steps] == [Enhancer.RESTORE]
    assert reasons(plan) == {Enhancer.TONE: SkipReason.NO_TIME}


def test_busy_model_server_is_told_from_a_dear_step():
    """It would fit, were it asked at once: a better moment would help."""
    expected, waiting = {Enhancer.RESTORE: 300.0, Enhancer.TONE: 50.0}, {Enhancer.RESTORE: 400.0}
    plan = plan_steps(
        (Defect.NOISY, Defect.HAZY), tuple(Enhancer), tuple(Enhancer), expected, 600, waiting
    )

    assert [step.enhancer for step in plan.steps] == [Enhancer.TONE]
    assert reasons(plan) == {Enhancer.RESTORE: SkipReason.OVER_CAPACITY}


def test_cost_grows_with_the_pixels():
    """Measured at 2 megapixels, asked at 12."""
    costs = Costs(lambda: 0.0)
    costs.learn(Enhancer.TONE, 2.0, 40.0)

    assert costs.expected_ms(Enhancer.TONE, 12.0) == 240.0


def test_small_photo_does_not_make_large_ones_unaffordable():
    """8 ms for 0.01 megapixels are fixed costs, not 800 ms a megapixel."""
    costs = Costs(lambda: 0.0)
    costs.learn(Enhancer.TONE, 0.01, 8.0)

    assert costs.expected_ms(Enhancer.TONE, 12.0) < 100


def test_estimate_follows_but_does_not_jump():
    """One slow photo moves the estimate by a part only."""
    costs = Costs(lambda: 0.0)
    costs.learn(Enhancer.TONE, 1.0, 10.0)
    costs.learn(Enhancer.TONE, 1.0, 110.0)

    assert 10 < costs.expected_ms(Enhancer.TONE, 1.0) < 60


def test_old_estimate_is_forgotten():
    """A step that once seemed too dear gets another chance."""
    now = 0.0
    costs = Costs(lambda: now)
    costs.learn(Enhancer.TONE, 1.0, 5000.0)
    now = FORGET_S + 1

    assert costs.expected_ms(Enhancer.TONE, 1.0) == 0


def test_what_adapts_to_its_time_is_not_too_dear_for_a_large_photo():
    """`restore` took 300 ms for a megapixel at full size; of twelve it works on fewer."""
    costs = Costs()
    costs.learn(Enhancer.RESTORE, 1.0, 300)
    costs.learn(Enhancer.TONE, 1.0, 20)

    assert costs.expected_ms(Enhancer.RESTORE, 12.0) < 600
    assert costs.expected_ms(Enhancer.TONE, 12.0) == 240
