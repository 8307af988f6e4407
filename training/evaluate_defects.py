"""Fit the classifier's thresholds and report on it: `python -m training.evaluate_defects`.

The network runs as in service. Thresholds are fitted on one half of the held-out photos, every
figure comes from the other half. Each photo is judged clean and with each of the nine defects at
two severities; whatever another defect brought along counts by its true severity. `judged` has what
is made of it, `training.seen_defects` which photos have a defect by themselves.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Pixels
from darkroom.imaging.views import IN_PATCHES, Views, take_views
from darkroom.inference.defects import COLUMNS, load_classifier
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.weights import read_weights, write_weights
from training.cards import CARDS, write_metrics
from training.defects import WEIGHTS
from training.degradations import Recipe, degrade
from training.judged import ABSENT, PRESENT, SEVERITIES, Judged, fit_thresholds, summarise
from training.photos import BUNDLED, bundled_photo, find_photos, read_pixels
from training.reporting import arguments_for, plot_losses, save_metrics
from training.samples import as_photo
from training.seen_defects import seen_in


def pictures(paths: tuple[Path, ...]) -> Iterator[tuple[Views, np.ndarray]]:
    for number, path in enumerate(paths):
        clean = read_pixels(path)
        recipes = [Recipe({}, number)]
        recipes += [Recipe({d: s}, number) for d in Defect for s in SEVERITIES]
        for recipe in recipes:
            rng = np.random.default_rng((number, len(recipe.severities)))
            degraded = degrade(clean, recipe)
            truth = np.asarray([degraded.severities[d] for d in COLUMNS])
            yield take_views(as_photo(degraded, rng)), truth


def judge(paths: tuple[Path, ...]) -> Judged:
    """Judge every picture of the photos; of all of them the truth is what was added."""
    classifier = load_classifier(WEIGHTS, "cpu")
    truth, predicted = [], []
    for views, severities in pictures(paths):
        diagnosis = classifier.diagnose([views])[0]
        truth.append(severities)
        predicted.append([diagnosis.severities[d] for d in COLUMNS])
    true = np.stack(truth)
    seen = np.asarray([[defect in seen_in(path) for defect in COLUMNS] for path in paths])
    own = np.repeat(seen, len(true) // len(paths), axis=0)
    return Judged(true, np.asarray(predicted), np.asarray(~true.any(axis=1)), own)


def judge_sizes(data: Path) -> dict[str, dict[str, list[float]]]:
    """What is said of real photos of 8 Mpx and of the same ones at 1280 px, clean and degraded.

    For each defect that lives in single pixels: mean severity of the clean and of the degraded
    photos (true severity 0.6), at either size.
    """
    classifier = load_classifier(WEIGHTS, "cpu")
    photos = [read_pixels(path) for path in sorted(data.glob("eval/*/pdimages_*[0-9].jpg"))]
    large = [photo for photo in photos if photo.shape[0] * photo.shape[1] > 6e6]
    small = [_at_width(photo, 1280) for photo in large]
    said: dict[str, dict[str, list[float]]] = {}
    for defect in IN_PATCHES:
        said[defect.value] = {}
        for size, pictures_of_size in (("large", large), ("small", small)):
            means = []
            for recipe in (Recipe({}, 0), Recipe({defect: 0.6}, 0)):
                degraded = (degrade(picture, recipe) for picture in pictures_of_size)
                views = [take_views(as_photo(d, np.random.default_rng(0))) for d in degraded]
                found = [classifier.diagnose([view])[0].severities[defect] for view in views]
                means.append(round(float(np.mean(found)), 3))
            said[defect.value][size] = means
    return said


def _at_width(pixels: Pixels, width: int) -> Pixels:
    height = round(pixels.shape[0] * width / pixels.shape[1])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def plot(judged: Judged, run: Path, path: Path) -> None:
    figure, (losses, rates, severities) = plt.subplots(1, 3, figsize=(15, 4.6))
    plot_losses(losses, run)
    for column, defect in enumerate(COLUMNS):
        truth, predicted = judged.truth[:, column], judged.predicted[:, column]
        decided = (truth >= PRESENT) | (truth < ABSENT)
        alarms, hits, _ = roc_curve(truth[decided] >= PRESENT, predicted[decided])
        rates.plot(alarms, hits, label=defect.value)
        levels = (0.0, *SEVERITIES)
        shown = [predicted[np.isclose(truth, level)] for level in levels]
        severities.errorbar(
            np.asarray(levels) + 0.012 * (column - 4),
            [part.mean() for part in shown],
            [part.std() for part in shown],
            fmt="o-",
            label=defect.value,
        )
    rates.set(
        xlim=(0, 0.3), xlabel="false alarms", ylabel="found", title="Found against false alarms"
    )
    rates.legend(fontsize=7)
    severities.plot([0, 1], [0, 1], "k:")
    severities.set(xlabel="true severity", ylabel="predicted, mean ± σ", title="Severity")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def draw_sheet(path: Path) -> None:
    """Bundled photos, each with one defect at severity 0.6, and what the classifier says of it."""
    classifier, severity = load_classifier(WEIGHTS, "cpu"), 0.6
    figure, axes = plt.subplots(len(BUNDLED), 1 + len(COLUMNS), figsize=(24, 2.2 * len(BUNDLED)))
    for row, name in zip(axes, BUNDLED, strict=True):
        for number, (axis, defect) in enumerate(zip(row, (None, *COLUMNS), strict=True)):
            recipe = Recipe({defect: severity} if defect else {}, number)
            photo = as_photo(degrade(bundled_photo(name), recipe), np.random.default_rng(number))
            diagnosis = classifier.diagnose([take_views(photo)])[0]
            said = diagnosis.severities[defect] if defect else len(diagnosis.found)
            axis.imshow(photo.pixels)
            axis.set(xticks=[], yticks=[])
            axis.set_title(f"{defect.value} {said:.2f}" if defect else f"clean: {said} found")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


def fit(held_out: tuple[Path, ...]) -> np.ndarray:
    """Fit the thresholds and write them into the weights."""
    thresholds = fit_thresholds(judge(held_out))
    network = DefectNetwork()
    notes = read_weights(WEIGHTS, network)
    fitted = {d.value: t for d, t in zip(COLUMNS, thresholds.tolist(), strict=True)}
    write_weights(WEIGHTS, network, {**notes, "thresholds": json.dumps(fitted)})
    return thresholds


def describe(summary: dict[str, Any]) -> tuple[list[list[str]], str]:
    """The card's table, header row first, and its line of notes."""
    report, over_all = summary["defects"], summary["defects_over_all_photos"]
    header = list(next(iter(report.values())))
    rows = [
        [name, *(f"{row[key]:.3f}" for key in header), f"{over_all[name]['f1']:.3f}"]
        for name, row in report.items()
    ]
    notes = (
        f"Good photos with any alarm: {summary['good_photos_with_any_alarm']:.1%} of "
        f"{summary['good_photos']}; with those that have a defect of their own: "
        f"{summary['all_photos_with_any_alarm']:.1%} of {summary['photos']}."
    )
    return [["defect", *header, "f1_over_all_photos"], *rows], notes


def main() -> None:
    arguments = arguments_for("defects", __doc__).parse_args()
    held_out = find_photos(arguments.data).validation
    thresholds = fit(held_out[::2])
    judged = judge(held_out[1::2])
    summary = summarise(judged, thresholds)
    summary["clean_and_degraded_by_size"] = judge_sizes(arguments.data)
    save_metrics(arguments.report, summary)
    draw_sheet(arguments.report / "sheet.png")
    plot(judged.known(), arguments.run, arguments.report / "curves.png")
    table, notes = describe(summary)
    write_metrics(CARDS / "defects.md", table, notes)
    for row in table:
        print("  ".join(f"{cell:22}" for cell in row))
    print(notes)
    print("clean and degraded to 0.6, by size:", summary["clean_and_degraded_by_size"])


if __name__ == "__main__":
    main()
