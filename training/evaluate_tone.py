"""Report on the toner: `python -m training.evaluate_tone`.

Every held-out photo, with each of the five defects at two severities, at its full size and through
the code that serves: gain in PSNR over the degraded photo, beside the simple rivals in the same
run. Then what the whole road does to good photos: diagnosed by `defects`, mended only if found.
Good are those that have no defect by themselves (`training.seen_defects`); all stand beside.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.imaging.metrics import psnr
from darkroom.imaging.photo import Format, Photo, Pixels
from darkroom.imaging.tone_map import apply_tone_map
from darkroom.imaging.views import take_views, thumbnail_of
from darkroom.inference.defects import Classifier, load_classifier
from darkroom.inference.tone import Toner, load_toner
from darkroom.networks.tone import MENDED
from training.cards import CARDS, write_metrics
from training.defects import WEIGHTS as DEFECT_WEIGHTS
from training.degradations import Recipe, degrade
from training.photos import BUNDLED, bundled_photo, find_photos, read_pixels
from training.reporting import arguments_for, plot_losses, save_metrics
from training.rivals import RIVALS
from training.seen_defects import seen_in
from training.sheets import draw_rows
from training.tone import WEIGHTS

SEVERITIES = (0.4, 0.8)
ASKED, DIAGNOSED = "toner, defect named", "toner, as diagnosed"


def mend(toner: Toner, pixels: Pixels, defects: frozenset[Defect]) -> Pixels:
    (tone_map,) = toner.plan([(thumbnail_of(pixels), defects)])
    return apply_tone_map(pixels, tone_map)


def found_in(classifier: Classifier, pixels: Pixels) -> frozenset[Defect]:
    (diagnosis,) = classifier.diagnose([take_views(Photo(pixels, Format.PNG))])
    return frozenset(diagnosis.found)


def gains_of(
    defect: Defect, paths: tuple[Path, ...], toner: Toner, classifier: Classifier
) -> dict[str, float]:
    """Mean gain in PSNR, dB, of the toner and each rival over the degraded photos."""
    rows = []
    for number, path in enumerate(paths):
        clean = read_pixels(path)
        for severity in SEVERITIES:
            degraded = degrade(clean, Recipe({defect: severity}, number)).pixels
            tonal = found_in(classifier, degraded) & frozenset(MENDED)
            results = {
                ASKED: mend(toner, degraded, frozenset({defect})),
                DIAGNOSED: mend(toner, degraded, tonal) if tonal else degraded,
                **{name: rival(degraded) for name, rival in RIVALS.items()},
            }
            before = psnr(degraded, clean)
            rows.append([psnr(result, clean) - before for result in results.values()])
    return dict(zip(results, np.mean(rows, axis=0).tolist(), strict=True))


def harm_to_good(
    paths: tuple[Path, ...], toner: Toner, classifier: Classifier
) -> dict[str, float | list[float]]:
    """What the road does to photos that need nothing: left alone, or how close they stay, in dB."""
    touched = []
    tonal = frozenset(MENDED)
    for path in paths:
        clean = read_pixels(path)
        found = found_in(classifier, clean)
        if found:
            mended = mend(toner, clean, found & tonal) if found & tonal else clean
            touched.append(min(99.0, psnr(mended, clean)) if found & tonal else 99.0)
    return {
        "photos": len(paths),
        "left_alone": 1 - len(touched) / len(paths),
        "psnr_of_the_others": sorted(round(value, 1) for value in touched),
        "harmed_below_38_db": float(np.sum(np.asarray(touched) < 38)),
    }


def draw_sheet(photos: list[Pixels], toner: Toner, path: Path) -> None:
    """Clean, degraded at both severities and mended, one defect a row, the photos in turn."""
    rows = {}
    for number, defect in enumerate(MENDED):
        row = [photos[number % len(photos)]]
        for severity in SEVERITIES:
            degraded = degrade(row[0], Recipe({defect: severity}, number)).pixels
            row += [degraded, mend(toner, degraded, frozenset({defect}))]
        rows[defect.value] = row
    draw_rows(path, rows, ("clean", "0.4", "mended", "0.8", "mended"))


def plot(gains: dict[str, dict[str, float]], run: Path, path: Path) -> None:
    figure, (losses, bars) = plt.subplots(1, 2, figsize=(14, 4.6), width_ratios=(1, 2))
    plot_losses(losses, run)
    names = list(next(iter(gains.values())))
    for index, name in enumerate(names):
        places = np.arange(len(gains)) + 0.13 * (index - len(names) / 2)
        bars.bar(places, [row[name] for row in gains.values()], 0.13, label=name)
    bars.axhline(0, color="k", linewidth=0.5)
    bars.set_xticks(np.arange(len(gains)), list(gains))
    bars.set(
        ylabel="gain in PSNR, dB", title="Against simple rivals, held-out photos", ylim=(-8, None)
    )
    bars.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def main() -> None:
    arguments = arguments_for("tone", __doc__).parse_args()
    held_out = find_photos(arguments.data).validation
    toner, classifier = load_toner(WEIGHTS, "cpu"), load_classifier(DEFECT_WEIGHTS, "cpu")
    gains = {d.value: gains_of(d, held_out, toner, classifier) for d in MENDED}
    good = harm_to_good(tuple(p for p in held_out if not seen_in(p)), toner, classifier)
    everyone = harm_to_good(held_out, toner, classifier)
    summary = {
        "severities": SEVERITIES,
        "gain_in_psnr_db": gains,
        "good_photos": good,
        "all_photos": everyone,
    }
    save_metrics(arguments.report, summary)
    plot(gains, arguments.run, arguments.report / "gains.png")
    draw_sheet([bundled_photo(name) for name in BUNDLED], toner, arguments.report / "sheet.png")
    # These photos are not ours to pass on: their sheet stays in the run's own folder.
    arguments.run.mkdir(parents=True, exist_ok=True)
    draw_sheet([read_pixels(path) for path in held_out[::7]], toner, arguments.run / "sheet.png")
    methods = list(next(iter(gains.values())))
    rows = [[name, *(f"{row[method]:+.1f}" for method in methods)] for name, row in gains.items()]
    note = (
        f"Of {good['photos']} good photos {good['left_alone']:.0%} are left alone; "
        f"{good['harmed_below_38_db']:.0f} end up less than 38 dB from what they were. With those "
        f"that have a defect of their own: {everyone['left_alone']:.0%} of {everyone['photos']}, "
        f"and {everyone['harmed_below_38_db']:.0f}."
    )
    write_metrics(CARDS / "tone.md", [["defect", *methods], *rows], note)
    for name, row in gains.items():
        print(f"{name:20}", "  ".join(f"{rival} {gain:+.1f}" for rival, gain in row.items()))
    print(note)


if __name__ == "__main__":
    main()
