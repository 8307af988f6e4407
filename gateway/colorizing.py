"""Colours for a photo: one hop to `colorize`, which chooses network and size by the time left."""

from darkroom.contracts.errors import NoReplica
from darkroom.contracts.options import ColorizeOptions, ColorModel, DiagnoseOptions
from darkroom.contracts.report import ColorizeReport, ColorizeRequest, Report
from gateway.budget import Budget
from gateway.calls import Work, colorizing
from gateway.enhancing import Outcome
from gateway.replicas import Replicas


async def colorize(work: Work, colorizer: Replicas | None, options: ColorizeOptions) -> Outcome:
    """The photo in colour.

    Raises:
        NoReplica: there is no `colorize` in this cluster.
        ServiceError: as `Replicas.ask` raises.
    """
    if colorizer is None:
        raise NoReplica("No model server that gives colours is part of this cluster.")
    asked = ColorizeRequest(**options.model_dump(exclude={"budget_ms"}))
    reply = await colorizer.ask(colorizing(work, asked))
    report = Report(
        request_id=work.request_id,
        colorized=ColorizeReport(ms=reply.ms, by=reply.by),
        total_ms=work.budget.spent_ms,
        budget_ms=work.budget.total_ms,
    )
    return Outcome(work.photo.payload if reply.answer is None else reply.answer, report)


def is_slow(options: DiagnoseOptions) -> bool:
    """Whether a network is asked for that takes seconds on a processor."""
    return isinstance(options, ColorizeOptions) and options.model in (
        ColorModel.ARTISTIC,
        ColorModel.STABLE,
    )


def operation_of(options: ColorizeOptions, budget: Budget) -> str:
    """What makes two requests for colours alike: where the time decides, the time too."""
    decided = options.model is not None and options.render_factor is not None
    return "/colorize" if decided else f"/colorize in {budget.total_ms} ms"
