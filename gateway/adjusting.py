"""The manual sliders: one hop to `tone`, which turns them on the photo at its full size."""

from collections.abc import Mapping

from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.errors import EnhancerMissing
from darkroom.contracts.report import Report, StepReport
from gateway.calls import Work, adjusting
from gateway.enhancing import Outcome
from gateway.replicas import Replicas


async def adjust(
    work: Work, enhancers: Mapping[Enhancer, Replicas], adjustments: Adjustments
) -> Outcome:
    """The photo with the sliders turned. Raises as `Replicas.ask` does, or EnhancerMissing."""
    if Enhancer.TONE not in enhancers:
        raise EnhancerMissing()
    reply = await enhancers[Enhancer.TONE].ask(adjusting(work, adjustments))
    step = StepReport(enhancer=Enhancer.TONE, defects=(), ms=reply.ms, by=reply.by)
    report = Report(
        request_id=work.request_id,
        steps=(step,),
        total_ms=work.budget.spent_ms,
        budget_ms=work.budget.total_ms,
    )
    # Left alone, with every slider at 0: the photo is still the answer.
    return Outcome(work.photo.payload if reply.answer is None else reply.answer, report)
