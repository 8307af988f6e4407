"""Colours for a photo: one hop to `colorize`, which chooses network and size by the time left."""

from darkroom.contracts.errors import NoReplica
from darkroom.contracts.options import ColorizeOptions, ColorModel, DiagnoseOptions
from darkroom.contracts.report import ColorizeReport, ColorizeRequest, Report
from gateway.budget import Budget
from gateway.enhancing import Outcome, Work
from gateway.replicas import Replicas


async def colorize(colorizer: Replicas | None, work: Work, options: ColorizeOptions) -> Outcome:
    """The photo in colour.

    Raises:
        NoReplica: there is no `colorize` in this cluster.
        ServiceError: as `ModelServer.colorize` raises.
    """
    if colorizer is None:
        raise NoReplica("No model server that gives colours is part of this cluster.")
    payload, photo_format = work.photo.payload, work.photo.header.format
    asked = ColorizeRequest(**options.model_dump(exclude={"budget_ms"}))
    reply = await colorizer.ask(
        lambda replica: replica.colorize(
            payload, photo_format, asked, work.budget, work.request_id
        ),
        payload,
        work.budget,
    )
    report = Report(
        request_id=work.request_id,
        colorized=ColorizeReport(ms=reply.ms, by=reply.by),
        total_ms=work.budget.spent_ms,
        budget_ms=work.budget.total_ms,
    )
    return Outcome(payload if reply.payload is None else reply.payload, report)


def is_slow(options: DiagnoseOptions) -> bool:
    """Whether a network is asked for that takes seconds on a processor."""
    return isinstance(options, ColorizeOptions) and options.model in (
        ColorModel.ARTISTIC,
        ColorModel.STABLE,
    )


def colorizing(options: ColorizeOptions, budget: Budget) -> str:
    """What makes two requests for colours alike: where the time decides, the time too."""
    decided = options.model is not None and options.render_factor is not None
    return "/colorize" if decided else f"/colorize in {budget.total_ms} ms"
