"""What the command line shows of many photos: one row each, as a table or as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rich.markup import escape
from rich.table import Table

from darkroom.client import Enhanced, Unreachable
from darkroom.contracts.defects import Defect
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.plan import Step
from darkroom.contracts.report import DiagnoseAnswer

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Outcome(Generic[Answer]):
    """What became of one file: an answer or the error that took its place."""

    file: Path
    ms: float
    answer: Answer | None = None
    error: ServiceError | OSError | None = None


def enhance_table(outcomes: Sequence[Outcome[Enhanced]]) -> Table:
    table = Table("photo", "found", "done", "skipped")
    table.add_column("ms", justify="right")
    for outcome in outcomes:
        if outcome.answer is None:
            table.add_row(escape(outcome.file.name), "", "[red]failed", "", "")
            continue
        report = outcome.answer.report
        done = _named(report.steps) if outcome.answer.photo else "nothing to mend"
        skipped = [f"{step.enhancer} ({step.reason})" for step in report.skipped]
        skipped += [f"{step.enhancer} (undone)" for step in report.undone]
        found = ", ".join(report.diagnosis.found) if report.diagnosis else ""
        table.add_row(
            escape(outcome.file.name),
            found or "–",
            done,
            ", ".join(skipped) or "–",
            f"{outcome.ms:.0f}",
        )
    return table


def colorize_table(outcomes: Sequence[Outcome[Enhanced]]) -> Table:
    table = Table("photo", "model", "render factor", "remarks")
    table.add_column("ms", justify="right")
    for outcome in outcomes:
        if outcome.answer is None:
            table.add_row(escape(outcome.file.name), "[red]failed")
            continue
        colorized = outcome.answer.report.colorized
        notes = dict(colorized.by.notes) if colorized else {}
        model, factor = notes.pop("model", "–"), notes.pop("render_factor", None)
        remarks = ", ".join(f"{key}: {value}" for key, value in notes.items())
        size = "–" if factor is None else f"{factor:.0f}"
        table.add_row(
            escape(outcome.file.name), str(model), size, escape(remarks), f"{outcome.ms:.0f}"
        )
    return table


def diagnose_table(outcomes: Sequence[Outcome[DiagnoseAnswer]]) -> Table:
    table = Table("photo", *(defect.replace("_", " ") for defect in Defect))
    for outcome in outcomes:
        if outcome.answer is None:
            table.add_row(escape(outcome.file.name), "[red]failed")
            continue
        diagnosis = outcome.answer.diagnosis
        cells = (
            f"[bold red]{diagnosis.severities[defect]:.2f}"
            if defect in diagnosis.found
            else f"{diagnosis.severities[defect]:.2f}"
            for defect in Defect
        )
        table.add_row(escape(outcome.file.name), *cells)
    return table


def _named(steps: Sequence[Step]) -> str:
    return ", ".join(f"{step.enhancer} ({', '.join(step.defects)})" for step in steps)


def document_of(outcome: Outcome[DiagnoseAnswer]) -> dict[str, object]:
    if outcome.answer is not None:
        return {"file": str(outcome.file)} | outcome.answer.model_dump(mode="json")
    match outcome.error:
        case ServiceError(code=code):
            pass
        case Unreachable():
            code = "unreachable"
        case _:
            code = "unreadable_file"
    return {"file": str(outcome.file), "error": {"code": code, "detail": str(outcome.error)}}
