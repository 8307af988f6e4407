"""The pictures of measurements."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def plot_sweep(document: dict[str, Any], target: Path) -> None:
    """Latency and goodput against the offered rate, and where the time goes, as PNG."""
    figure, (latency, goodput, stages) = plt.subplots(1, 3, figsize=(15, 4.2))
    for name, runs in document["runs"].items():
        rates = sorted({run["offered_per_s"] for run in runs})
        for quantile, style in (("p50_ms", ":"), ("p95_ms", "-"), ("p99_ms", "--")):
            values = [_mean(runs, rate, quantile) for rate in rates]
            latency.plot(rates, values, style, marker=".", label=f"{name} {quantile[:3]}")
        values = [_mean(runs, rate, "goodput_per_s") for rate in rates]
        goodput.plot(rates, values, marker=".", label=name)
        _stages(stages, name, runs)
    latency.axhline(1000, color="grey", linewidth=0.8)
    _label(latency, "offered, photos a second", "ms from due to answered", log=True)
    limit = max(goodput.get_xlim()[1], 1)
    goodput.plot([0, limit], [0, limit], color="grey", linewidth=0.8)
    _label(goodput, "offered, photos a second", "answered well within 1 s, a second")
    stages.set_xlabel("ms a photo, at the lowest rate")
    figure.suptitle(f"{document['size']}, {document['photos']}, {document['cores']} cores")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def plot_replicas(throughput: dict[int, float], target: Path) -> None:
    """Photos a second against the number of replicas, beside a straight line, as PNG."""
    figure, axes = plt.subplots(figsize=(5, 4))
    counts = sorted(throughput)
    axes.plot(counts, [throughput[count] for count in counts], marker=".", label="measured")
    one = throughput[counts[0]] / counts[0]
    axes.plot(counts, [one * count for count in counts], color="grey", label="linear")
    _label(axes, "replicas", "photos a second")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def plot_peers(document: dict[str, Any], target: Path) -> None:
    """Throughput and CPU time a photo of each service beside the handlers alone, as PNG."""
    figure, (rates, costs) = plt.subplots(1, 2, figsize=(12, 3.6), sharey=True)
    results = document["results"]
    names = [*results][::-1]
    for axes, key, label in (
        (rates, "per_s", f"photos a second at {document['clients']} clients"),
        (costs, "cpu_ms", "CPU ms a photo"),
    ):
        axes.barh(names, [results[name][key] for name in names])
        axes.axvline(results[names[-1]][key], color="grey", linewidth=0.8)
        axes.set_xlabel(label)
    figure.suptitle(f"{document['size']}, dark, {document['cores']} cores")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def plot_rates(document: dict[str, Any], target: Path) -> None:
    """The rates that were tried, with the share answered within the promise, as PNG."""
    sizes = document["sizes"]
    figure, axes = plt.subplots(1, len(sizes), figsize=(5.5 * len(sizes), 3.8), squeeze=False)
    for (size, results), one in zip(sizes.items(), axes[0], strict=True):
        for name, of in results.items():
            tried = sorted((each["rate"], each["in_time"]) for each in of["tried"])
            one.plot(*zip(*tried, strict=True), marker=".", label=name)
        one.axhline(0.95, color="grey", linewidth=0.8)
        one.set_title(size)
        _label(one, "offered, photos a second", "answered within a second, share")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def plot_overload(document: dict[str, Any], target: Path) -> None:
    """Goodput against the offered rate, and memory under three times too many, as PNG."""
    figure, (goodput, memory) = plt.subplots(1, 2, figsize=(10, 3.8))
    loads = sorted(
        [*document["peaks"], document["overload"]], key=lambda load: load["offered_per_s"]
    )
    offered = [load["offered_per_s"] for load in loads]
    goodput.plot(offered, [load["goodput_per_s"] for load in loads], marker=".", label="Darkroom")
    goodput.plot([0, max(offered)], [document["peak_per_s"]] * 2, color="grey", label="peak")
    _label(goodput, "offered, photos a second", "answered well within 1 s, a second")
    _begin_at_zero(goodput)
    memory.plot(*zip(*document["memory_mb"], strict=True), label="gateway and model servers")
    _label(memory, "seconds at three times the peak", "MB (PSS)")
    _begin_at_zero(memory)
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def _mean(runs: list[dict[str, Any]], rate: float, key: str) -> float:
    values = [run[key] for run in runs if run["offered_per_s"] == rate]
    return float(sum(values) / len(values))


def _stages(axes: Axes, name: str, runs: list[dict[str, Any]]) -> None:
    calmest = min(runs, key=lambda run: run["offered_per_s"])
    left = 0.0
    for stage, ms in calmest["stages_ms"].items():
        if ms > 0:
            axes.barh(name, ms, left=left, label=stage)
            left += ms
    if left:
        axes.legend(fontsize=6)


def _begin_at_zero(axes: Axes) -> None:
    """And leave room for the legend above the lines."""
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])


def _label(axes: Axes, x: str, y: str, *, log: bool = False) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if log:
        axes.set_yscale("log")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
