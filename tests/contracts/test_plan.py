import itertools

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.plan import Step, needed_steps


def test_steps_keep_the_order_of_a_plan():
    """Restore comes before straighten, straighten before tone, however the defects are listed."""
    defects = (Defect.HAZY, Defect.ROTATION, Defect.NOISY)
    for listed in itertools.permutations(defects):
        order = [step.enhancer for step in needed_steps(listed)]
        assert order == [Enhancer.RESTORE, Enhancer.STRAIGHTEN, Enhancer.TONE]


def test_one_step_gets_all_its_defects():
    """One hop per enhancer, not per defect."""
    steps = needed_steps([Defect.GLARING, Defect.LOW_LIGHT])

    assert steps == (Step(enhancer=Enhancer.TONE, defects=(Defect.LOW_LIGHT, Defect.GLARING)),)


def test_nothing_found_needs_no_step():
    """A good photo has an empty plan."""
    assert needed_steps([]) == ()


def test_all_defects_are_covered():
    """All nine at once need all three enhancers, and no defect is lost."""
    steps = needed_steps(list(Defect))

    assert sorted(defect for step in steps for defect in step.defects) == sorted(Defect)
