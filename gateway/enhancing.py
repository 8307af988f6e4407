"""The road of one photo: diagnose, plan, one hop per model server, the best result in time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from darkroom.contracts.defects import ENHANCER_OF, Defect, Enhancer
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import EnhancerMissing, OutOfTime, OverCapacity, ServiceError
from darkroom.contracts.options import EnhanceOptions
from darkroom.contracts.plan import Plan, SkippedStep, SkipReason, Step
from darkroom.contracts.report import DiagnoseAnswer, Report, StepReport, StepRequest
from gateway.calls import MaybePhoto, Reply, Work, diagnosing, mending
from gateway.foreseeing import foreseen
from gateway.judging import Severities, is_better, is_doubtful
from gateway.planning import Costs, plan_steps, skip
from gateway.reading import ReceivedPhoto
from gateway.replicas import Replicas


@dataclass(frozen=True)
class Outcome:
    """What becomes of a photo: its new bytes, or None where nothing was there to mend."""

    payload: bytes | None
    report: Report


@dataclass
class _Progress:
    """The best result so far and what happened on the way to it."""

    photo: ReceivedPhoto
    severities: Severities  # of `photo`, as last measured
    steps: list[StepReport] = field(default_factory=list)
    skipped: list[SkippedStep] = field(default_factory=list)
    undone: list[StepReport] = field(default_factory=list)
    errors: list[ServiceError] = field(default_factory=list)


class Enhancing:
    """Leads photos along the model servers of this cluster."""

    def __init__(
        self, defects: Replicas, enhancers: Mapping[Enhancer, Replicas], costs: Costs
    ) -> None:
        self.defects = defects
        self.enhancers = enhancers
        self._costs = costs

    async def diagnose(self, work: Work) -> tuple[DiagnoseAnswer, Report]:
        """What is wrong with the photo and what would be done about it."""
        reply = await self.defects.ask(diagnosing(work))
        plan = self._plan(work, reply, tuple(Enhancer))
        width, height = work.photo.header.upright_size
        answer = DiagnoseAnswer(
            diagnosis=reply.answer,
            found=reply.answer.found,
            steps=plan.steps,
            skipped=plan.skipped,
            width=width,
            height=height,
        )
        return answer, _report(work, reply)

    async def enhance(self, work: Work, options: EnhanceOptions) -> Outcome:
        """Mend whatever the diagnosis finds.

        Raises:
            OutOfTime: the budget ended before anything was mended.
            OverCapacity: there would be time, were the model servers less busy.
            ServiceError: as `Replicas` raises, where nothing at all could be mended.
        """
        reply = await self.defects.ask(diagnosing(work, goes_on=True))
        plan = self._plan(work, reply, options.steps)
        progress = await self._walk(work, plan, reply.answer, options.strength)
        report = _report(work, reply, progress)
        if progress.steps:
            return Outcome(progress.photo.payload, report)
        if progress.errors:
            raise progress.errors[0]
        reasons = {step.reason for step in report.skipped}
        if SkipReason.NO_TIME in reasons:
            raise OutOfTime()
        if SkipReason.OVER_CAPACITY in reasons:
            raise OverCapacity()
        return Outcome(None, report)

    async def fix(self, work: Work, defect: Defect, strength: float) -> Outcome:
        """Mend one named defect without a diagnosis. Raises as `Replicas` does."""
        enhancer = ENHANCER_OF[defect]
        if enhancer not in self.enhancers:
            raise EnhancerMissing()
        plan = Plan(steps=(Step(enhancer=enhancer, defects=(defect,)),))
        progress = await self._walk(work, plan, None, strength)
        if progress.errors:
            raise progress.errors[0]
        return Outcome(progress.photo.payload, _report(work, None, progress))

    def _plan(self, work: Work, reply: Reply[Diagnosis], asked: tuple[Enhancer, ...]) -> Plan:
        waiting_ms = {e: servers.waiting_ms for e, servers in self.enhancers.items()}
        found, left_ms = reply.answer.found, work.budget.left_ms
        in_cluster, expected_ms = self.enhancers.keys(), self._expected_ms(work)
        return plan_steps(found, asked, in_cluster, expected_ms, left_ms, waiting_ms)

    def _expected_ms(self, work: Work) -> dict[Enhancer, float]:
        return {e: self._costs.expected_ms(e, work.photo.megapixels) for e in self.enhancers}

    async def _walk(
        self, work: Work, plan: Plan, diagnosis: Diagnosis | None, strength: float
    ) -> _Progress:
        """Perform the steps in order; with a diagnosis, keep only what makes the photo better."""
        severities = diagnosis.severities if diagnosis else dict.fromkeys(Defect, 1.0)
        progress = _Progress(work.photo, severities, skipped=list(plan.skipped))
        expected_ms = self._expected_ms(work)
        tone_ms = expected_ms.get(Enhancer.TONE, 0.0)
        async with foreseen(self.enhancers, _hop(work, tone_ms), plan, severities) as coming:
            for number, step in enumerate(plan.steps, start=1):
                # An enhancer may work as large as its time allows: it must not take the others'.
                later = plan.steps[number:]
                later_ms = sum(expected_ms[each.enhancer] for each in later)
                tone_map = await coming if step.enhancer is Enhancer.TONE else None
                asked = _request(step, progress.severities, diagnosis, strength, tone_map)
                try:
                    hop = _hop(replace(work, photo=progress.photo), later_ms)
                    reply = await self._perform(hop, asked, goes_on=bool(later))
                    _take(reply, step, diagnosis, progress)
                except ServiceError as error:
                    progress.skipped.append(skip(step, _reason(error)))
                    progress.errors.append(error)
        return progress

    async def _perform(self, hop: Work, asked: StepRequest, *, goes_on: bool) -> Reply[MaybePhoto]:
        reply = await self.enhancers[asked.enhancer].ask(mending(hop, asked, goes_on=goes_on))
        self._costs.learn(asked.enhancer, hop.photo.megapixels, reply.by.stages.total_ms)
        return reply


def _hop(work: Work, later_ms: float) -> Work:
    """The part of the work that one model server does, with so much time left for what follows."""
    return replace(work, budget=work.budget.keeping_back(later_ms))


def _request(
    step: Step,
    severities: Severities,
    diagnosis: Diagnosis | None,
    strength: float,
    tone_map: str | None,
) -> StepRequest:
    return StepRequest(
        enhancer=step.enhancer,
        defects={defect: severities[defect] for defect in step.defects},
        strength=strength,
        judge=diagnosis is not None and is_doubtful(step, severities, diagnosis.thresholds),
        foreseen=tone_map,
    )


def _reason(error: ServiceError) -> SkipReason:
    match error:
        case OutOfTime():
            return SkipReason.NO_TIME
        case OverCapacity():
            return SkipReason.OVER_CAPACITY
    return SkipReason.REPLICA_FAILED


def _take(
    reply: Reply[MaybePhoto], step: Step, diagnosis: Diagnosis | None, progress: _Progress
) -> None:
    """Go on with the step's result, unless the photo was left alone or is no better for it."""
    if reply.answer is None:
        progress.skipped.append(skip(step, SkipReason.LEFT_ALONE))
        return
    done = StepReport(enhancer=step.enhancer, defects=step.defects, ms=reply.ms, by=reply.by)
    after = reply.by.severities
    if diagnosis and after:
        if not is_better(progress.severities, after, diagnosis.thresholds, step.defects):
            progress.undone.append(done)
            return
        progress.severities = after
    progress.photo = replace(progress.photo, payload=reply.answer, shared=reply.shared)
    progress.steps.append(done)


def _report(
    work: Work, diagnosed: Reply[Diagnosis] | None, progress: _Progress | None = None
) -> Report:
    return Report(
        request_id=work.request_id,
        diagnosis=diagnosed.answer if diagnosed else None,
        diagnosed_by=diagnosed.by if diagnosed else None,
        diagnose_ms=diagnosed.ms if diagnosed else None,
        steps=tuple(progress.steps) if progress else (),
        skipped=tuple(progress.skipped) if progress else (),
        undone=tuple(progress.undone) if progress else (),
        total_ms=work.budget.spent_ms,
        budget_ms=work.budget.total_ms,
    )
