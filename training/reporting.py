"""What every evaluation shares: its arguments, the figures it saves, the curve of the training."""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from training.fine_tuning import DATA


def arguments_for(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of the evaluation of `name`: `--data`, `--run`, `--report`."""
    mpl.use("Agg")
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=DATA, help="photos and index")
    parser.add_argument("--run", type=Path, default=Path("runs") / name, help="of the training")
    parser.add_argument("--report", type=Path, default=Path("training/reports") / name)
    return parser


def save_metrics(report: Path, summary: dict[str, Any]) -> None:
    report.mkdir(parents=True, exist_ok=True)
    (report / "metrics.json").write_text(json.dumps(summary, indent=2) + "\n")


def plot_losses(axes: Axes, run: Path) -> None:
    """Draw the losses of the run, where it was made on this machine."""
    axes.set(xlabel="step", ylabel="training loss", title="Training")
    progress = run / "progress.json"
    if progress.exists():
        axes.plot(*zip(*json.loads(progress.read_text())["losses"], strict=True))
