"""Report on whole plans: `python -m training.evaluate_plan`, beside a running cluster (`make up`).

Held-out photos with two and three defects go through the real service: once with the whole plan,
and once for each enhancer of that plan alone. The plan has to come closer to the clean photo than
any of its steps, in PSNR and in the SqueezeNet distance. Then the good photos for evaluation: which
ones are touched, by how much, and what was judged no better and undone.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from darkroom.blocking import Darkroom
from darkroom.client import DEFAULT_URL
from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.report import Report
from darkroom.imaging.codec import decode, encode
from darkroom.imaging.metrics import psnr
from darkroom.imaging.photo import Format, Photo, Pixels
from training.degradations import Recipe, degrade
from training.fine_tuning import DATA
from training.perception import Perception, load_perception
from training.photos import find_photos, read_pixels
from training.reporting import save_metrics
from training.upright_truth import lay_upright

REPORT = Path("training/reports/plan")
COMBINATIONS: tuple[tuple[Defect, ...], ...] = (
    (Defect.LOW_LIGHT, Defect.NOISY),
    (Defect.NOISY, Defect.POOR_WHITE_BALANCE),
    (Defect.JPEG_ARTIFACTS, Defect.LOW_CONTRAST),
    (Defect.BLUR, Defect.LOW_LIGHT),
    (Defect.HAZY, Defect.JPEG_ARTIFACTS),
    (Defect.ROTATION, Defect.LOW_LIGHT),
    (Defect.ROTATION, Defect.NOISY),
    (Defect.LOW_LIGHT, Defect.POOR_WHITE_BALANCE, Defect.NOISY),
    (Defect.BLUR, Defect.JPEG_ARTIFACTS, Defect.LOW_CONTRAST),
    (Defect.ROTATION, Defect.NOISY, Defect.POOR_WHITE_BALANCE),
)
SEVERITY = 0.6
BUDGET_MS = 10_000  # quality is what is measured here
GOOD = ("clean/*", "real-estate/*")
FLAWED = (
    *("83", "109", "273", "281", "357", "428", "487", "DSC01541"),  # dark
    *("120", "171", "226", "407", "526", "360", "402", "410", "440"),  # tinted or flat
)


@dataclass(frozen=True)
class Trial:
    """One photo with several defects: what was done, and how close to clean it came."""

    defects: tuple[Defect, ...]
    steps: tuple[Enhancer, ...]  # of the whole plan, as performed
    undone: tuple[Enhancer, ...]
    psnr: dict[str, float]  # dB, by "nothing", "plan" and the name of each step alone
    distance: dict[str, float]  # SqueezeNet distance, likewise

    def beats_every_step(self) -> tuple[bool, bool]:
        """Whether the plan is the best by far enough to count: in PSNR, in distance."""
        plan, nearest = self.psnr["plan"], self.distance["plan"]
        return (
            all(plan > self.psnr[step] for step in self.steps),
            all(nearest < self.distance[step] for step in self.steps),
        )


def enhance(
    darkroom: Darkroom, pixels: Pixels, steps: tuple[Enhancer, ...]
) -> tuple[Pixels, Report]:
    """Through the service and back; without loss on the way, so that only the steps count."""
    sent = encode(Photo(pixels, Format.PNG))
    answer = darkroom.enhance(sent, steps=steps, budget_ms=BUDGET_MS)
    mended = pixels if answer.photo is None else decode(answer.photo, pixels.size).pixels
    return mended, answer.report


def try_plan(darkroom: Darkroom, perception: Perception, clean: Pixels, recipe: Recipe) -> Trial:
    degraded = degrade(clean, recipe)
    result, report = enhance(darkroom, degraded.pixels, tuple(Enhancer))
    steps = tuple(step.enhancer for step in report.steps)
    results = {"plan": (result, report)}
    results |= {step: enhance(darkroom, degraded.pixels, (step,)) for step in steps}
    still = report.model_copy(update={"steps": ()})
    results["nothing"] = (degraded.pixels, still)
    levels, distances = {}, {}
    for name, (mended, done) in results.items():
        truth = lay_upright(clean, degraded, done)
        levels[str(name)] = psnr(mended, truth)
        pair = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (mended, truth))
        distances[str(name)] = float(perception(*pair))
    undone = tuple(step.enhancer for step in report.undone)
    return Trial(tuple(recipe.severities), steps, undone, levels, distances)


def summarise(trials: list[Trial]) -> dict[str, object]:
    """How often plans of several steps win, and what all plans gain over doing nothing."""
    several = [trial for trial in trials if len(trial.steps) > 1]
    wins = np.asarray([trial.beats_every_step() for trial in several])
    gains = [trial.psnr["plan"] - trial.psnr["nothing"] for trial in trials]
    nearer = [trial.distance["plan"] < trial.distance["nothing"] for trial in trials]
    return {
        "trials": len(trials),
        "plans_of_several_steps": len(several),
        "beats_every_step_in_psnr": float(wins[:, 0].mean()) if len(several) else None,
        "beats_every_step_in_distance": float(wins[:, 1].mean()) if len(several) else None,
        "mean_gain_db": float(np.mean(gains)),
        "worse_than_nothing": float(np.mean(np.asarray(gains) < 0)),
        "nearer_than_nothing": float(np.mean(nearer)),
        "undone": sum(len(trial.undone) for trial in trials),
    }


def good_photos(data: Path) -> Iterator[Path]:
    for pattern in GOOD:
        for path in sorted(data.glob(f"eval/{pattern}")):
            if not set(path.stem.split("_")) & set(FLAWED):
                yield path


def try_good(darkroom: Darkroom, path: Path) -> dict[str, object]:
    """What becomes of a photo that needs nothing."""
    answer = darkroom.enhance(path, budget_ms=BUDGET_MS)
    done: dict[str, object] = {
        "photo": path.stem,
        "steps": [step.enhancer for step in answer.report.steps],
        "left_alone": [step.enhancer for step in answer.report.skipped],
        "undone": [step.enhancer for step in answer.report.undone],
    }
    if answer.photo is not None:
        before, after = (decode(p, 1 << 30).pixels for p in (path.read_bytes(), answer.photo))
        if before.shape == after.shape:  # not straightened
            done["psnr_to_itself"] = round(float(psnr(after, before)), 1)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--url", default=DEFAULT_URL, help="of the running service")
    parser.add_argument("--photos", type=int, default=24, help="held-out photos, spread evenly")
    parser.add_argument("--report", type=Path, default=REPORT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    perception = load_perception(arguments.data)
    held_out = find_photos(arguments.data).validation
    chosen = held_out[:: max(1, len(held_out) // arguments.photos)]
    by_combination, trials = {}, []
    with Darkroom(arguments.url) as darkroom:
        for defects in COMBINATIONS:
            recipes = (
                Recipe(dict.fromkeys(defects, SEVERITY), seed) for seed in range(len(chosen))
            )
            tried = [
                try_plan(darkroom, perception, read_pixels(path), recipe)
                for path, recipe in zip(chosen, recipes, strict=True)
            ]
            by_combination[" + ".join(defects)] = summarise(tried)
            print(" + ".join(defects), by_combination[" + ".join(defects)], flush=True)
            trials += tried
        good = [try_good(darkroom, path) for path in good_photos(arguments.data)]
    summary = {
        "severity": SEVERITY,
        "all": summarise(trials),
        "combinations": by_combination,
        "good_photos": good,
    }
    save_metrics(arguments.report, summary)
    print("all", summary["all"])
    for photo in good:
        print(photo)


if __name__ == "__main__":
    main()
