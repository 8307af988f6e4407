"""The report as a picture: strengths with their intervals, and how each meeting went."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkroom.votes.report import VoteReport

_ACCENT, _OTHER, _NEITHER = "#bf3f0d", "#57524d", "#dcd8d3"


def save_plot(report: VoteReport, file: Path) -> None:
    """Write a PNG."""
    rows = max(len(report.strengths), len(report.meetings))
    figure = Figure(figsize=(11, 1.6 + 0.5 * rows), layout="constrained")
    figure.suptitle(
        f"{_plain(report.name)}: {report.ballots} ballots of {report.voters} voters", fontsize=11
    )
    left, right = figure.subplots(1, 2)
    _draw_strengths(left, report)
    _draw_meetings(right, report)
    for axes in (left, right):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)
        axes.invert_yaxis()
    figure.savefig(file, dpi=150)


def _draw_strengths(axes: Axes, report: VoteReport) -> None:
    for row, each in enumerate(report.strengths):
        axes.plot([each.low, each.high], [row, row], color=_ACCENT, linewidth=2)
        axes.plot(each.strength, row, "o", color=_ACCENT)
    axes.axvline(0, color=_NEITHER, zorder=0)
    axes.set_yticks(range(len(report.strengths)), [_plain(s.variant) for s in report.strengths])
    axes.set_ylim(-0.6, len(report.strengths) - 0.4)
    axes.set_xlabel("strength (Bradley–Terry, natural logarithm) with 95 % interval")


def _draw_meetings(axes: Axes, report: VoteReport) -> None:
    for row, each in enumerate(report.meetings):
        counts = (each.preferred, each.no_difference, each.other_preferred)
        start = 0.0
        for count, color in zip(counts, (_ACCENT, _NEITHER, _OTHER), strict=True):
            share = 100 * count / max(1, sum(counts))
            axes.barh(row, share, left=start, color=color, height=0.6)
            if count:
                ink = "black" if color == _NEITHER else "white"
                axes.text(start + share / 2, row, str(count), ha="center", va="center", color=ink)
            start += share
    labels = [f"{_plain(m.variant)}  or  {_plain(m.other)}" for m in report.meetings]
    axes.set_yticks(range(len(report.meetings)), labels)
    axes.set_ylim(-0.6, len(report.meetings) - 0.4)
    axes.set_xlim(0, 100)
    axes.set_xlabel("first preferred, no difference, second preferred (%)")


def _plain(name: str) -> str:
    """A name that matplotlib does not take for a formula."""
    return name.replace("$", r"\$")
