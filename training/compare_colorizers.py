"""Two colorizers on the same photos: measures of each photo, paired tests, pictures of both."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from darkroom.imaging.metrics import colourfulness
from darkroom.networks.lite import LiteGenerator
from training.colouring import MEASURES, colour, score, to_grey
from training.comparison import Comparison, compare, holm
from training.loop import Progress
from training.perception import Perception
from training.photos import read_pixels
from training.sheets import contact_sheet, save_sheet

SHOWN, WIDTH = 8, 180  # photos on the sheet, pixels each
# Colourfulness is no merit by itself: what is compared is its distance from the truth's.
ERROR = "colourfulness_error"
LOWER_IS_BETTER = frozenset({"squeezenet_distance", "ciede2000", ERROR})

Row = dict[str, float]  # a photo's measures


def measure(network: LiteGenerator, paths: Sequence[Path], perception: Perception) -> list[Row]:
    rows = []
    for path in paths:
        truth = read_pixels(path)
        row = asdict(score(colour(network, truth), truth, perception))
        row[ERROR] = abs(row["colourfulness"] - colourfulness(truth))
        rows.append(row)
    return rows


def compare_measures(before: list[Row], after: list[Row]) -> dict[str, Comparison]:
    """Compare every measure; the p-values of each test are Holm's over all the measures."""
    names = [*MEASURES, ERROR]
    found = [compare([r[n] for r in before], [r[n] for r in after]) for n in names]
    by_t = holm([c.p_t for c in found])
    by_ranks = holm([c.p_wilcoxon for c in found])
    corrected = zip(names, found, by_t, by_ranks, strict=True)
    return {n: replace(c, p_t=float(t), p_wilcoxon=float(w)) for n, c, t, w in corrected}


def write_table(path: Path, comparisons: dict[str, Comparison], sizes: dict[str, int]) -> None:
    """The report in words: what changed, how sure that is."""
    photos = next(iter(comparisons.values())).photos
    lines = [
        "# Colorizer before and after fine-tuning",
        "",
        f"Photos: {', '.join(f'{name} {count}' for name, count in sizes.items())}, split by source."
        f" Tested on {photos} real photos that neither training nor validation saw, turned grey.",
        "p-values: two-sided, paired, corrected after Holm over the six measures. Effect: Cohen's d"
        " of the paired differences. SqueezeNet distance is not LPIPS: its weights are uniform.",
        "",
        "| measure | before | after | change | 95 % interval | effect | p, t-test | p, Wilcoxon |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, c in comparisons.items():
        arrow = "↓" if name in LOWER_IS_BETTER else "" if name == "colourfulness" else "↑"
        lines.append(
            f"| {name} {arrow} | {c.before:.4g} | {c.after:.4g} | {c.change:+.3g} |"
            f" {c.low:+.3g} … {c.high:+.3g} | {c.effect:+.2f} | {c.p_t:.2g} | {c.p_wilcoxon:.2g} |"
        )
    figures = ["", "![Losses](losses.png)", "", "![Histograms](histograms.png)", ""]
    path.write_text("\n".join([*lines, *figures, "![Grey, before, after, truth](sheet.jpg)", ""]))


def plot_losses(progress: Progress, path: Path) -> None:
    figure, (losses, scores) = plt.subplots(1, 2, figsize=(10, 3.6))
    if progress.losses:
        losses.plot(*zip(*progress.losses, strict=True))
    losses.set(xlabel="step", ylabel="loss", title="Training")
    if progress.scores:
        steps, values = zip(*progress.scores, strict=True)
        scores.plot(steps, [-value for value in values], marker="o")
    scores.set(xlabel="step", ylabel="PSNR over grey, dB", title="Validation")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def plot_histograms(before: list[Row], after: list[Row], path: Path) -> None:
    figure, axes = plt.subplots(2, 3, figsize=(11, 6))
    for axis, name in zip(axes.flat, [*MEASURES, ERROR], strict=True):
        values = [[row[name] for row in rows] for rows in (before, after)]
        bins = np.histogram_bin_edges(np.concatenate(values), 20).tolist()
        axis.hist(values, bins, label=("before", "after"))
        axis.set(title=name.replace("_", " "), ylabel="photos")
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def report(
    before: LiteGenerator,
    after: LiteGenerator,
    perception: Perception,
    paths: Sequence[Path],
    progress: Progress,
    sizes: dict[str, int],
    folder: Path,
) -> dict[str, Comparison]:
    """Write report.md, metrics.json, photos.csv, two plots and a sheet into `folder`."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        name: measure(n, paths, perception) for name, n in (("before", before), ("after", after))
    }
    comparisons = compare_measures(rows["before"], rows["after"])
    summary = {name: asdict(comparison) for name, comparison in comparisons.items()}
    (folder / "metrics.json").write_text(json.dumps(summary, indent=2) + "\n")
    with (folder / "photos.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "colorizer", *MEASURES, ERROR])
        for name, measured in rows.items():
            for path, row in zip(paths, measured, strict=True):
                writer.writerow([path.name, name, *(f"{value:.4f}" for value in row.values())])
    plot_losses(progress, folder / "losses.png")
    plot_histograms(rows["before"], rows["after"], folder / "histograms.png")
    truths = [read_pixels(path) for path in paths[:: max(1, len(paths) // SHOWN)][:SHOWN]]
    shown = [(to_grey(t), colour(before, t), colour(after, t), t) for t in truths]
    sheet = contact_sheet(shown, ("grey", "before", "after", "truth"), WIDTH)
    save_sheet(folder / "sheet.jpg", sheet)
    write_table(folder / "report.md", comparisons, sizes)
    return comparisons
