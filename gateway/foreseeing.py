"""What `tone` is to do after `restore`, asked of it while the photo still has its noise.

`tone` tells from the noise how dark a photo was: one that `restore` has been through it would leave
too dark. So it looks at the photo as it was diagnosed, while `restore` is at work, and what it has
seen is applied to the restored photo later. Without an answer it has to go by what it gets then.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.plan import Plan
from darkroom.contracts.report import StepRequest
from gateway.calls import Work, foreseeing
from gateway.judging import Severities
from gateway.replicas import Replicas

Foreseen = asyncio.Task[str | None]  # a packed tone map, if there is one


@asynccontextmanager
async def foreseen(
    enhancers: Mapping[Enhancer, Replicas], work: Work, plan: Plan, severities: Severities
) -> AsyncIterator[Foreseen]:
    """The tone map for `work`'s photo, on its way for as long as the plan is being carried out."""
    coming = asyncio.create_task(_foresee(enhancers, work, plan, severities))
    try:
        yield coming
    finally:
        coming.cancel()


async def _foresee(
    enhancers: Mapping[Enhancer, Replicas], work: Work, plan: Plan, severities: Severities
) -> str | None:
    steps = {step.enhancer: step for step in plan.steps}
    if not {Enhancer.RESTORE, Enhancer.TONE} <= steps.keys():
        return None
    defects = {defect.value: severities[defect] for defect in steps[Enhancer.TONE].defects}
    asked = StepRequest(enhancer=Enhancer.TONE, defects=defects)
    try:
        return (await enhancers[Enhancer.TONE].ask(foreseeing(work, asked))).answer.tone_map
    except ServiceError:  # its own hop then says what is wrong, or does without
        return None
