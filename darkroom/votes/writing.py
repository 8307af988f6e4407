"""The report to read: Markdown, and the same numbers as JSON beside the plot."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from darkroom.votes.plot import save_plot
from darkroom.votes.report import VoteReport

PLOT, DOCUMENT, TEXT = "report.png", "report.json", "report.md"


def write_report(report: VoteReport, folder: Path) -> None:
    """Write the three files, in place of earlier ones."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).write_text(report.model_dump_json(indent=1) + "\n")
    (folder / TEXT).write_text(markdown(report))
    save_plot(report, folder / PLOT)


def markdown(report: VoteReport) -> str:
    """The report as Markdown; names of the vote's are shown as text."""
    strengths = (
        (
            _text(each.variant),
            f"{each.strength:+.2f}",
            f"{each.low:+.2f} … {each.high:+.2f}",
            f"{each.preferred} of {each.judged}",
            f"{each.no_difference}",
        )
        for each in report.strengths
    )
    meetings = (
        (
            f"{_text(each.variant)} or {_text(each.other)}",
            f"{each.preferred}",
            f"{each.no_difference}",
            f"{each.other_preferred}",
            f"{each.chance:.0%} ({each.low:.0%} … {each.high:.0%})",
        )
        for each in report.meetings
    )
    lines = [
        f"# {_text(report.name)}",
        "",
        f"{report.ballots} ballots of {report.voters} voters on {report.judged_pairs} of"
        f" {report.pairs} pairs, {report.photos} photos; {report.no_difference} ballots"
        f" ({report.no_difference / report.ballots:.0%}) saw no difference.",
        "",
        f"![Strengths and meetings]({PLOT})",
        "",
        *_table(("variant", "strength", "95 % interval", "preferred", "no difference"), strengths),
        "",
        *_table(("", "first", "no difference", "second", "chance of the first"), meetings),
        "",
        sides_in_words(report),
        "",
        agreement_in_words(report),
        "",
        "Strengths are Bradley–Terry's, in natural logarithms, 0 on average; no difference counts"
        " as half a win for either. Intervals come from drawing voters and photos anew"
        " (pigeonhole bootstrap); two variants whose chance has 50 % in its interval have not been"
        " told apart.",
    ]
    return "\n".join(lines) + "\n"


def sides_in_words(report: VoteReport) -> str:
    sides = report.sides
    verdict = "people lean to a side" if sides.p_value < 0.05 else "no side is preferred"
    return (
        f"Sides: left {sides.left}, right {sides.right}; left {sides.share_left:.0%}"
        f" ({sides.low:.0%} … {sides.high:.0%}), p = {sides.p_value:.3f} (exact binomial test):"
        f" {verdict}. Sides are drawn by lot, so a lean costs precision but favours no variant."
    )


def agreement_in_words(report: VoteReport) -> str:
    agreement = report.agreement
    if agreement.equal_share is None:
        return "Agreement: no pair was judged by two voters."
    undefined = agreement.alpha is None
    alpha = "undefined, all answers are equal" if undefined else f"{agreement.alpha:.2f}"
    return (
        f"Agreement: on {agreement.pairs} pairs with two voters or more, two of them gave the same"
        f" answer in {agreement.equal_share:.0%}; Krippendorff's α (nominal) = {alpha}. Where one"
        " variant is nearly always preferred α is low although voters agree."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(name: str) -> str:
    """A name that no reader of Markdown takes for anything else."""
    escaped = html.escape(name, quote=False)
    return "".join(f"\\{c}" if c in "\\`*_[]|#!" else c for c in escaped)
