from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.plan import Step
from gateway.judging import is_better, is_doubtful

THRESHOLDS = dict.fromkeys(Defect, 0.3)
LIGHT = (Defect.LOW_LIGHT,)


def severities(**known):
    return {defect: known.get(defect.value, 0.1) for defect in Defect}


def judge(before, after):
    return is_better(before, after, THRESHOLDS, LIGHT)


def test_a_defect_that_fell_is_better():
    assert judge(severities(low_light=0.8), severities(low_light=0.2))


def test_a_defect_that_stayed_or_rose_is_not():
    """A step that changes nothing measurable is not worth a second encoding."""
    assert not judge(severities(low_light=0.8), severities(low_light=0.8))
    assert not judge(severities(low_light=0.5), severities(low_light=0.6))


def test_what_is_gained_may_not_be_lost_elsewhere():
    """Less darkness for as much glare is no bargain; for a little it is."""
    before = severities(low_light=0.8)

    assert not judge(before, severities(low_light=0.4, glaring=0.8))
    assert judge(before, severities(low_light=0.4, glaring=0.5))


def test_what_nobody_would_see_is_no_harm():
    """Severities may move as they like under their thresholds."""
    others = {"noisy": 0.29, "blur": 0.29, "hazy": 0.29}

    assert judge(severities(low_light=0.4), severities(low_light=0.3, **others))


def test_a_defect_that_was_there_before_is_no_harm():
    """Only what the step has added counts against it."""
    assert judge(severities(low_light=0.8, noisy=0.9), severities(low_light=0.5, noisy=0.9))


def test_only_plainly_wrong_light_is_mended_without_judgement():
    """Pixels and geometry are judged always, light near its threshold too."""
    tone = Step(enhancer=Enhancer.TONE, defects=LIGHT)
    restore = Step(enhancer=Enhancer.RESTORE, defects=(Defect.NOISY,))

    assert not is_doubtful(tone, severities(low_light=0.6), THRESHOLDS)
    assert is_doubtful(tone, severities(low_light=0.4), THRESHOLDS)
    assert is_doubtful(restore, severities(noisy=0.9), THRESHOLDS)
