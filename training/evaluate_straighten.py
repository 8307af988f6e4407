"""Report on the straightener: `python -m training.evaluate_straighten`.

Held-out photos and their turns through the code that serves (`training/tilts.py`). Errors are given
twice: on photos that are upright within half a degree by their own turns, with nothing taken off,
and on all of them. The confidence is fitted on one half of the photos, the figures come from the
other.
"""

from pathlib import Path
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np

from darkroom.imaging.photo import Pixels
from darkroom.imaging.warp import apply_warp
from darkroom.inference.straighten import Straightener, load_straightener
from darkroom.networks.straighten import TiltNetwork
from darkroom.networks.weights import read_weights, write_weights
from training.cards import CARDS, write_metrics
from training.photos import read_pixels
from training.reporting import arguments_for, save_metrics
from training.straighten import WEIGHTS, find_all, tilt
from training.tilts import (
    KINDS,
    TRUE_DEGREES,
    TURNS,
    UPRIGHT_DEGREES,
    Seen,
    convergence,
    correction_of,
    fit_confidence,
    left_alone,
    look,
    measure,
)

FREE = "eval/*/[kp]*[0-9].*"  # Kodak's and public-domain photos: these may be shown


def plot(seen: Seen, least: float, path: Path) -> None:
    figure, (histogram, rising, coverage) = plt.subplots(1, 3, figsize=(15, 4.4))
    upright = seen.built & (np.abs(seen.own()) <= UPRIGHT_DEGREES)
    counted = (seen.confidence >= least) & (np.abs(seen.turn) > 0) & upright[:, None]
    for name, found in (("straightener", seen.found), ("segments' median", seen.rival)):
        error = (found - seen.turn)[counted]
        histogram.hist(error, np.arange(-4, 4.1, 0.1), histtype="step", label=name)
        rising.plot(np.sort(np.abs(error)), np.linspace(0, 1, len(error)), label=name)
    histogram.set(xlabel="error, degrees", ylabel="looks", title="Rooms and houses, upright")
    histogram.legend()
    rising.axvline(TRUE_DEGREES, color="k", linewidth=0.5)
    rising.set(xlim=(0, 4), xlabel="absolute error, degrees", title="Share of looks within")
    for kind in KINDS:
        confidence = np.sort(seen.confidence[seen.kind == kind].ravel())
        coverage.plot(confidence, np.linspace(1, 0, len(confidence)), label=kind)
    coverage.axvline(least, color="k", linewidth=0.5)
    coverage.set(xlabel="confidence", title="Share of looks with at least that")
    coverage.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def draw_sheet(straightener: Straightener, photos: list[Pixels], path: Path) -> None:
    """Each photo as it is, tilted by 6° one way or the other, and what becomes of both."""
    figure, axes = plt.subplots(len(photos), 4, figsize=(13, 2.5 * len(photos)), squeeze=False)
    for row, (number, photo) in zip(axes, enumerate(photos), strict=True):
        tilted, _ = tilt(photo, (-6.0, 6.0)[number % 2], 0.0)
        for axes_of_two, pixels in ((row[:2], photo), (row[2:], tilted)):
            done = correction_of(straightener, pixels)
            mended = apply_warp(pixels, done.warp) if done else pixels
            said = "left alone"
            if done:
                said = f"{done.degrees:+.1f}°, pitch {done.pitch_degrees:+.0f}°"
            for axis, shown, title in zip(axes_of_two, (pixels, mended), ("", said), strict=True):
                axis.imshow(shown)
                axis.set(xticks=[], yticks=[], title=title)
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)


def main() -> None:
    parser = arguments_for("straighten", __doc__)
    parser.add_argument("--every", type=int, default=1, help="look at each n-th photo only")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    paths = list(find_all(arguments.data).validation)
    # Shuffled: photos lie in the order of their rooms, and each n-th would be the same room.
    np.random.default_rng(0).shuffle(paths)
    paths = paths[:: arguments.every]
    straightener = load_straightener(WEIGHTS, "cpu")
    seen = look(straightener, paths)
    least = fit_confidence(seen.half(0))
    network = TiltNetwork()
    notes = read_weights(WEIGHTS, network)
    write_weights(WEIGHTS, network, {**notes, "least_confidence": str(least)})
    straightener.least_confidence = least
    judged = seen.half(1)
    report = measure(judged, least)
    summary = {
        "least_confidence": least,
        "turns": TURNS,
        "kinds": report,
        "left_alone": left_alone(straightener, paths[1::2], judged),
        "convergence": convergence(straightener, list(np.asarray(paths[1::2])[judged.built][:60])),
    }
    save_metrics(arguments.report, summary)
    plot(judged, least, arguments.report / "errors.png")
    # These photos are not ours to pass on: their sheets stay in the run's own folder.
    arguments.run.mkdir(parents=True, exist_ok=True)
    free = sorted(arguments.data.glob(FREE))
    draw_sheet(straightener, [_small(p) for p in free], arguments.run / "free.png")
    shown = np.asarray(paths[1::2])[judged.built][::12]
    draw_sheet(straightener, [read_pixels(p) for p in shown], arguments.run / "sheet.png")
    write_card(summary, report)


def _small(path: Path) -> Pixels:
    pixels = read_pixels(path)
    scale = 640 / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def write_card(summary: dict[str, Any], report: dict[str, Any]) -> None:
    header = ["", "photos", "covered", "median error", "within 1.5°", "own tilt off: median"]
    header += ["within 1.5°", "rival: median", "within 1.5°", "nothing done: median"]
    rows = []
    for kind, row in report.items():
        upright, off = row["upright"], row["all_own_tilt_off"]
        rival, nothing = row["rival_upright"], row["nothing_upright"]
        cells = [kind, str(row["photos"]), f"{row['covered']:.0%}"]
        for part in (upright, off, rival):
            cells += [f"{part['median']:.2f}°", f"{part['within_1.5']:.1%}"]
        rows.append([*cells, f"{nothing['median']:.2f}°"])
    alone, pitch = summary["left_alone"], summary["convergence"]
    note = (
        f"Taken from a confidence of {summary['least_confidence']}. Of {alone['upright_photos']} "
        f"upright photos {alone['left_alone_at_+0.0']:.0%} are left alone, turned by 0.3° "
        f"{(alone['left_alone_at_-0.3'] + alone['left_alone_at_+0.3']) / 2:.0%}; of nature, things "
        f"and animals {alone['nature_left_alone']:.0%}. Of a pitch of 6° put on rooms and houses, "
        f"{pitch['median_share_found']:.0%} is found in the median, {pitch['p90_share_found']:.0%} "
        "at the ninetieth percentile: what little the lines show of it is undone."
    )
    write_metrics(CARDS / "straighten.md", [header, *rows], note)
    for row_cells in (header, *rows):
        print("  ".join(row_cells))
    print(note)


if __name__ == "__main__":
    main()
