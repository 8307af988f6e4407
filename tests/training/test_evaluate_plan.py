"""How whole plans are compared with their steps; the photos themselves need a running cluster."""

import numpy as np
import pytest

from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.report import ModelReply, Report, StageTimes, StepReport
from darkroom.imaging.metrics import psnr
from darkroom.imaging.warp import apply_warp, plan_warp
from tests.rooms import draw_room
from training.degradations import Recipe, degrade
from training.evaluate_plan import Trial, laid_under, summarise

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


def test_the_truth_is_laid_under_a_straightened_result():
    """Turned and warped as the report says, the clean photo matches pixel by pixel."""
    clean = draw_room(3, 320, 240)
    degraded = degrade(clean, Recipe({Defect.ROTATION: 0.5}, 1))
    height, width = degraded.pixels.shape[:2]
    straightened = apply_warp(degraded.pixels, plan_warp(width, height, degraded.degrees, 0))
    by = ModelReply(
        model="straighten",
        version="1",
        weights_sha256="0",
        device="cpu",
        stages=StageTimes(),
        notes={"angle_degrees": degraded.degrees, "convergence_degrees": 0.0},
    )
    step = StepReport(enhancer=Enhancer.STRAIGHTEN, defects=(Defect.ROTATION,), ms=1, by=by)
    report = Report(request_id="", steps=(step,), total_ms=1, budget_ms=1)

    truth = laid_under(clean, degraded.degrees, report)

    assert truth.shape == straightened.shape
    assert psnr(truth, straightened) > 45
    assert np.ptp(truth) > 100
