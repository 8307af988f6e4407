"""How whole plans are compared with their steps; the photos themselves need a running cluster."""

import numpy as np
import pytest

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.report import ModelReply, Report, StageTimes, StepReport
from darkroom.imaging.metrics import psnr
from darkroom.imaging.warp import apply_warp, plan_warp
from tests.rooms import draw_room
from training.degradations import Recipe, degrade
from training.evaluate_plan import Trial, summarise
from training.upright_truth import lay_upright

BOTH = (Enhancer.RESTORE, Enhancer.TONE)


def a_trial(plan, restore, tone):
    """PSNR of the plan and of each step; the distance falls as the PSNR rises."""
    levels = {"plan": plan, "restore": restore, "tone": tone, "nothing": 20.0}
    distances = {name: 1 / level for name, level in levels.items()}
    return Trial((Defect.NOISY, Defect.HAZY), BOTH, (), levels, distances)


def test_a_plan_wins_only_where_it_beats_each_of_its_steps():
    """One trial won, one lost to a single step: half of them."""
    summary = summarise([a_trial(30.0, 25.0, 24.0), a_trial(26.0, 21.0, 27.0)])

    assert summary["beats_every_step_in_psnr"] == 0.5
    assert summary["beats_every_step_in_distance"] == 0.5
    assert summary["mean_gain_db"] == pytest.approx(8.0)
    assert summary["worse_than_nothing"] == 0


def a_report(*steps):
    return Report(request_id="", steps=steps, total_ms=1, budget_ms=1)


def straightened_by(degrees, convergence=0.0):
    by = ModelReply(
        model="straighten",
        version="1",
        weights_sha256="0",
        device="cpu",
        stages=StageTimes(),
        notes={"angle_degrees": degrees, "convergence_degrees": convergence},
    )
    return StepReport(enhancer=Enhancer.STRAIGHTEN, defects=(Defect.ROTATION,), ms=1, by=by)


def straighten(pixels, degrees, convergence=0.0):
    height, width = pixels.shape[:2]
    return apply_warp(pixels, plan_warp(width, height, degrees, convergence))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_straightened_result_matches_the_clean_photo(seed):
    """Tilted and set upright again it lies on its truth, pixel by pixel, whichever way it fell."""
    clean = draw_room(3, 320, 240)
    degraded = degrade(clean, Recipe({Defect.ROTATION: 0.5}, seed))
    straightened = straighten(degraded.pixels, degraded.degrees)

    truth = lay_upright(clean, degraded, a_report(straightened_by(degraded.degrees)))

    assert truth.shape == straightened.shape
    assert psnr(truth, straightened) > 40


def test_a_result_left_tilted_is_far_from_its_truth():
    """The clean photo stays upright under it: a tilt that nobody took out counts."""
    clean = draw_room(3, 320, 240)
    degraded = degrade(clean, Recipe({Defect.ROTATION: 0.5}, 1))

    truth = lay_upright(clean, degraded, a_report())

    assert truth.shape == degraded.pixels.shape
    assert psnr(truth, degraded.pixels) < 25


def test_a_photo_that_nobody_turned_is_compared_with_itself():
    """Neither tilted nor straightened, the truth is the clean photo to the last level."""
    clean = draw_room(3, 320, 240)
    degraded = degrade(clean, Recipe({Defect.HAZY: 0.5}, 1))

    assert np.array_equal(lay_upright(clean, degraded, a_report()), clean)


@pytest.mark.parametrize(("degrees", "convergence"), [(4.0, 0.0), (0.0, 6.0)])
def test_straightening_what_was_upright_counts_against_a_result(degrees, convergence):
    """A turn and a convergence that the clean photo did not have are no part of its truth."""
    clean = draw_room(3, 320, 240)
    degraded = degrade(clean, Recipe({}, 1))
    turned = straighten(clean, degrees, convergence)

    truth = lay_upright(clean, degraded, a_report(straightened_by(degrees, convergence)))

    assert truth.shape == turned.shape
    assert psnr(truth, turned) < 30
