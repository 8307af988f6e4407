"""The manual sliders: one hop to `tone`, which turns them on the photo at its full size."""

from collections.abc import Mapping

from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.errors import EnhancerMissing
from darkroom.contracts.report import Report, StepReport
from gateway.enhancing import Outcome, Work
from gateway.replicas import Replicas


async def adjust(
    enhancers: Mapping[Enhancer, Replicas], work: Work, adjustments: Adjustments
) -> Outcome:
    """The photo with the sliders turned. Raises as `Replicas.enhance` does, or EnhancerMissing."""
    if Enhancer.TONE not in enhancers:
        raise EnhancerMissing()
    payload, photo_format = work.photo.payload, work.photo.header.format
    reply = await enhancers[Enhancer.TONE].ask(
        lambda replica: replica.adjust(
            payload, photo_format, adjustments, work.budget, work.request_id
        ),
        payload,
        work.budget,
    )
    step = StepReport(enhancer=Enhancer.TONE, defects=(), ms=reply.ms, by=reply.by)
    report = Report(
        request_id=work.request_id,
        steps=(step,),
        total_ms=work.budget.spent_ms,
        budget_ms=work.budget.total_ms,
    )
    # Left alone, with every slider at 0: the photo is still the answer.
    return Outcome(payload if reply.payload is None else reply.payload, report)
