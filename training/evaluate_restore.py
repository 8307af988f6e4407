"""Report on the restorer: `python -m training.evaluate_restore`.

Held-out photos with the flaws that the bounds are stated for, at full size and through the code
that serves (tiles, OpenVINO in bfloat16): gain in PSNR over the damaged photo, told the severity
and told nothing but the defect; beside non-local means, the usual remedy for noise, with the CPU
time of both, measured in turn. Then what becomes of clean photos and of texture, what bfloat16 and
tiles cost, and how much of the gain is left at a working size.
"""

import json
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch

from darkroom.contracts.defects import Defect
from darkroom.imaging.metrics import psnr
from darkroom.imaging.photo import Pixels
from darkroom.imaging.resizing import shrink
from darkroom.imaging.tiles import TILE_PX, apply_correction
from darkroom.imaging.upsampling import apply_lines, describe
from darkroom.inference.restore import Restorer, load_restorer, told_vector
from darkroom.inference.tiled import Work, correct_photos
from darkroom.networks.restore import RestoreNetwork
from darkroom.networks.weights import read_weights
from training.cards import CARDS, write_metrics
from training.degradations.recipe import to_pixels
from training.photos import BUNDLED, bundled_photo, read_pixels
from training.reporting import arguments_for, plot_losses, save_metrics
from training.restore import WEIGHTS, find_sharp
from training.restorer_trials import (
    BOUNDS,
    SIGMAS,
    against_nlm,
    damage,
    gains_of,
    harm_to_clean,
    restore,
)
from training.sheets import draw_rows

CLEAN_BOUND_DB = 42.0


def exactness(restorer: Restorer, photo: Pixels) -> dict[str, float]:
    """What bfloat16 and tiling change, as the PSNR between with and without, on one photo."""
    network = RestoreNetwork()
    read_weights(WEIGHTS, network)
    side = TILE_PX // 16 * 16
    enlarged = cv2.resize(photo, (2 * side, side), interpolation=cv2.INTER_CUBIC)
    noisy, told = damage(np.asarray(enlarged, np.uint8), "noise 25", 0)
    tiled = restore(restorer, noisy, told)
    with torch.inference_mode():
        vector = torch.from_numpy(told_vector(told)[None])
        whole = network(torch.from_numpy(noisy[None]), vector)[0].numpy()
        tile = network(torch.from_numpy(noisy[None, :side, :side]), vector)[0].numpy()
    light = restorer.correct(noisy[None, :side, :side], told_vector(told)[None])[0]
    return {
        "bfloat16_psnr_db": round(10 * float(np.log10(255**2 / np.mean((tile - light) ** 2))), 1),
        "tiles_psnr_db": round(psnr(tiled, to_pixels((noisy + whole) / np.float32(255))), 1),
    }


def at_working_size(restorer: Restorer, photo: Pixels) -> dict[str, float]:
    """Gains of a large photo at its full size and at a third of each side."""
    results = {}
    for flaw in ("noise 25", "jpeg 10", "defocus"):
        damaged, told = damage(photo, flaw, 0)
        size = (photo.shape[0] // 3, photo.shape[1] // 3)
        small = shrink(damaged, *size)
        work = Work(small, told_vector(told, 1 / 3))
        canvas = correct_photos(restorer, [work], TILE_PX, 4).canvases[0]
        restored = apply_correction(small, canvas.steps, 1.0)
        lines = describe(damaged, small, restored, noisy=Defect.NOISY in told)
        before = psnr(damaged, photo)
        results[f"{flaw}, a third"] = psnr(apply_lines(damaged, lines, 1.0), photo) - before
        results[f"{flaw}, full"] = psnr(restore(restorer, damaged, told), photo) - before
    return {name: round(value, 2) for name, value in results.items()}


def draw_sheet(photos: list[Pixels], restorer: Restorer, path: Path) -> None:
    """Clean, damaged and restored crops, one flaw a row, two photos beside each other."""
    rows: dict[str, list[Pixels]] = {}
    for number, flaw in enumerate(BOUNDS):
        rows[flaw] = []
        for column in range(2):
            clean = photos[(number + column) % len(photos)]
            y, x = ((side - 160) // 2 for side in clean.shape[:2])
            clean = clean[y : y + 160, x : x + 160]
            damaged, told = damage(clean, flaw, number)
            rows[flaw] += [clean, damaged, restore(restorer, damaged, told)]
    draw_rows(path, rows, ("clean", "damaged", "restored") * 2)


def plot(gains: dict[str, dict[str, float]], run: Path, path: Path) -> None:
    figure, (losses, bars) = plt.subplots(1, 2, figsize=(13, 4.2), width_ratios=(1, 2))
    plot_losses(losses, run)
    places = np.arange(len(gains))
    for index, name in enumerate(("gain_db", "gain_untold_db")):
        bars.bar(places + 0.3 * index, [row[name] for row in gains.values()], 0.3, label=name)
    bars.plot(places + 0.15, [BOUNDS[flaw] for flaw in gains], "k_", markersize=30, label="bound")
    bars.set_xticks(places + 0.15, list(gains))
    bars.set(ylabel="gain in PSNR, dB", title="Held-out photos")
    bars.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def describe_in_card(
    gains: dict[str, dict[str, float]],
    rivals: dict[str, dict[str, float]],
    clean_db: float,
    bfloat16_db: float,
) -> None:
    """The measured part of `restore.md`: a row for each flaw, and what becomes of clean photos."""
    rows = [["flaw", "bound", "gain", "gain, untold", "detail kept", "non-local means"]]
    for flaw, row in gains.items():
        rival = f"{rivals[flaw]['nlm_gain_db']:+.1f}" if flaw in rivals else ""
        values = (f"{row[name]:+.2f}" for name in ("gain_db", "gain_untold_db"))
        rows.append([flaw, f"{BOUNDS[flaw]:.1f}", *values, f"{row['detail_kept']:.0%}", rival])
    note = (
        f"Clean photos told a severity of 0.15 by mistake stay {clean_db:.1f} dB from "
        f"themselves; bfloat16 is {bfloat16_db} dB from float32."
    )
    write_metrics(CARDS / "restore.md", rows, note)


def main() -> None:
    parser = arguments_for("restore", __doc__)
    parser.add_argument("--photos", type=int, default=16, help="how many of the held-out photos")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    held_out = find_sharp(arguments.data).validation
    photos = [read_pixels(path) for path in held_out[:: max(1, len(held_out) // arguments.photos)]]
    restorer = load_restorer(WEIGHTS, "cpu")
    gains = {flaw: gains_of(restorer, flaw, photos) for flaw in BOUNDS}
    rivals = {f"noise {s}": against_nlm(restorer, s, photos[::4]) for s in SIGMAS}
    clean = harm_to_clean(restorer, photos)
    exact = exactness(restorer, photos[0])
    large = read_pixels(arguments.data / "eval/real-estate/pdimages_DSC01541.jpg")
    summary = {
        "photos": len(photos),
        "bounds_db": BOUNDS,
        "gains": gains,
        "against_non_local_means": rivals,
        "clean_photos_psnr_db": {"bound": CLEAN_BOUND_DB, **clean},
        "exactness": exact,
        "large_photo_gain_db": at_working_size(restorer, large),
    }
    save_metrics(arguments.report, summary)
    plot(gains, arguments.run, arguments.report / "gains.png")
    shown = [bundled_photo(name) for name in BUNDLED]
    draw_sheet(shown, restorer, arguments.report / "sheet.jpg")
    # These photos are not ours to pass on: their sheet stays in the run's own folder.
    draw_sheet(photos[::7], restorer, arguments.run / "sheet.jpg")
    describe_in_card(gains, rivals, clean["told 0.15"], exact["bfloat16_psnr_db"])
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
