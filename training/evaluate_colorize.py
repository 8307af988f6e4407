"""Report on the colorizer: `python -m training.evaluate_colorize`.

Half of the held-out sources set temperature and saturation (`--fit`, by every third of their
photos, stored in the weights), the other half is reported on: every photo turned grey, at its full
size and with the upsampling that serves, against grey itself. Then sheets to look at, historical
photos among them.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from darkroom.imaging.metrics import colourfulness
from darkroom.imaging.photo import Pixels
from darkroom.networks.lite import LiteGenerator
from darkroom.networks.weights import read_weights, write_weights
from training.cards import CARDS, write_metrics
from training.colorize import WEIGHTS
from training.colour_photos import as_square, find_colour_photos, read_once, stack
from training.colouring import SIDE, colour, score, to_grey
from training.fine_tuning import DATA
from training.fit_colorize import Setting, choose, try_settings
from training.hues import hue_table
from training.perception import Perception, load_perception
from training.photos import BUNDLED, bundled_photo, read_pixels
from training.sheets import contact_sheet, save_sheet, side_by_side

REPORT = Path("training/reports/colorize")
GREY, OURS, TRUTH = "grey", "lite", "truth"


def halve(photos: tuple[Path, ...]) -> tuple[list[Path], list[Path]]:
    """Split by source, every other one, so that rooms of one house stay together."""
    sources = sorted({(path.parent.name, path.stem.split("_")[0]) for path in photos})
    first = set(sources[::2])
    chosen = [(path.parent.name, path.stem.split("_")[0]) in first for path in photos]
    return (
        [path for path, here in zip(photos, chosen, strict=True) if here],
        [path for path, here in zip(photos, chosen, strict=True) if not here],
    )


def fit(network: LiteGenerator, photos: list[Path]) -> list[Setting]:
    """Set temperature and saturation by `photos`; returns all that were tried."""
    squares = [as_square(read_once(path), SIDE, None) for path in photos]
    batches = [stack(squares[i : i + 8]) for i in range(0, len(squares), 8)]
    tried = try_settings(network, batches)
    for setting in tried:
        print({name: round(value, 3) for name, value in asdict(setting).items()})
    best = choose(tried)
    network.temperature.fill_(best.temperature)
    network.saturation.fill_(best.saturation)
    return tried


def measure_photo(coloured: Pixels, truth: Pixels, perception: Perception) -> dict[str, Any]:
    ours = asdict(score(coloured, truth, perception))
    grey = asdict(score(to_grey(truth), truth, perception))
    return {"ours": ours, "grey": grey, "true_colourfulness": colourfulness(truth)}


def summarise(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Means over photos; gains are against grey, colourfulness as a share of the truth's mean."""
    ours = {name: np.mean([row["ours"][name] for row in rows]) for name in rows[0]["ours"]}
    grey = {name: np.mean([row["grey"][name] for row in rows]) for name in rows[0]["grey"]}
    gains = np.asarray([row["ours"]["psnr"] - row["grey"]["psnr"] for row in rows])
    true = np.mean([row["true_colourfulness"] for row in rows])
    return {
        "photos": len(rows),
        "gain_psnr_db": float(gains.mean()),
        "share_better_than_grey": float((gains > 0).mean()),
        "psnr": float(ours["psnr"]),
        "psnr_grey": float(grey["psnr"]),
        "colourfulness_share": float(ours["colourfulness"] / true),
        "ciede2000": float(ours["ciede2000"]),
        "ciede2000_grey": float(grey["ciede2000"]),
        "ssim": float(ours["ssim"]),
        "ssim_grey": float(grey["ssim"]),
        "squeezenet_distance": float(ours["squeezenet_distance"]),
        "squeezenet_distance_grey": float(grey["squeezenet_distance"]),
    }


def draw(network: LiteGenerator, photos: list[Pixels], columns: int, width: int) -> Pixels:
    """A sheet of grey, ours and truth, `columns` photos side by side."""
    rows = [(to_grey(photo), colour(network, photo), photo) for photo in photos]
    sheets = [contact_sheet(rows[k::columns], (GREY, OURS, TRUTH), width) for k in range(columns)]
    return side_by_side(sheets)


def draw_old(network: LiteGenerator, photos: list[Pixels], columns: int, width: int) -> Pixels:
    rows = [(to_grey(photo), colour(network, photo)) for photo in photos]
    sheets = [contact_sheet(rows[k::columns], (GREY, OURS), width) for k in range(columns)]
    return side_by_side(sheets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--run", type=Path, default=Path("runs/colorize"))
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--fit", action="store_true", help="set temperature and saturation anew")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = LiteGenerator()
    notes = read_weights(arguments.weights, network)
    perception = load_perception(arguments.data)
    fitting, reported = halve(find_colour_photos(arguments.data).validation)
    if arguments.fit:
        fit(network, fitting[::3])
        write_weights(arguments.weights, network, notes)
    pairs, by_folder = [], dict[str, list[dict[str, Any]]]()
    for path in reported:
        truth = read_pixels(path)
        pairs.append((colour(network, truth), truth))
        row = measure_photo(*pairs[-1], perception)
        by_folder.setdefault(path.parent.name, []).append(row)
    everything = [row for rows in by_folder.values() for row in rows]
    summary = {
        "temperature": float(network.temperature),
        "saturation": float(network.saturation),
        "all": summarise(everything),
        "by_folder": {folder: summarise(rows) for folder, rows in by_folder.items()},
        "hues": hue_table(pairs),
    }
    arguments.report.mkdir(parents=True, exist_ok=True)
    (arguments.report / "metrics.json").write_text(json.dumps(summary, indent=2) + "\n")
    # scikit-image's pictures may be passed on; the other photos stay in the run's own folder.
    free = [bundled_photo(name) for name in BUNDLED]
    save_sheet(arguments.report / "sheet.jpg", draw(network, free, 2, 200))
    old = sorted((arguments.data / "eval/blackwhite").glob("*.png"))
    save_sheet(
        arguments.run / "historical.jpg",
        draw_old(network, [read_pixels(path) for path in old], 2, 240),
    )
    for name, chosen in (
        ("rooms", reported[:: len(reported) // 24]),
        ("other", _outdoors(reported)),
    ):
        photos = [read_pixels(path) for path in chosen[:24]]
        save_sheet(arguments.run / f"sheet-{name}.jpg", draw(network, photos, 3, 220))
    write_card(summary)


def _outdoors(photos: list[Path]) -> list[Path]:
    outdoors = [p for p in photos if p.parent.name not in ("houses", "places-rooms")]
    fronts = [p for p in photos if p.stem.endswith("frontal")]
    return outdoors[::3] + fronts[::4]


def write_card(summary: dict[str, Any]) -> None:
    head = ["photos", "PSNR over grey, dB", "colourfulness / truth", "ΔE00", "ΔE00 of grey"]
    rows = [
        [
            f"{name} ({part['photos']})",
            f"{part['gain_psnr_db']:+.2f}",
            f"{part['colourfulness_share']:.2f}",
            f"{part['ciede2000']:.1f}",
            f"{part['ciede2000_grey']:.1f}",
        ]
        for name, part in {"all": summary["all"], **summary["by_folder"]}.items()
    ]
    hues = summary["hues"]
    met = ", ".join(f"{name} {row['met']:.0%}" for name, row in hues.items() if "met" in row)
    note = (
        f"Coloured places whose hue is met within 45°: {met}. Of truly grey places "
        f"{hues['grey']['tinted']:.0%} get a colour that shows, {hues['grey']['purple']:.1%} a "
        "purple one. "
        f"Temperature {summary['temperature']:g}, saturation {summary['saturation']:g}."
    )
    write_metrics(CARDS / "colorize.md", [head, *rows], note)
    print(json.dumps(summary["all"], indent=1), note, sep="\n")


if __name__ == "__main__":
    main()
