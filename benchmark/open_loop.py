"""Requests at given moments, whether or not earlier ones have been answered.

Closed loops (locust's users, too) wait for their answers and so slow down with the service: the
queue that real clients would meet never forms. Here arrivals are a Poisson process, and a latency
counts from the moment at which a request was due.
"""

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import aiohttp
from pydantic import ValidationError

from benchmark.figures import quantile
from darkroom.contracts.headers import REPORT
from darkroom.contracts.report import Report

PATIENCE_S = 10.0  # of a client, after which an answer is lost
NO_CACHE = {"Cache-Control": "no-store"}  # the same few photos again and again: each is to be work


@dataclass(frozen=True)
class Answer:
    """What became of one request."""

    status: int  # 0 where there was no answer
    ms: float  # from the moment at which it was due
    stages_ms: dict[str, float]


@dataclass(frozen=True)
class Load:
    """One run: so many requests a second for so long, and what came of them."""

    offered_per_s: float
    seconds: float
    statuses: dict[str, int]
    goodput_per_s: float  # answers with 200 or 204 within the budget
    p50_ms: float  # of the answers with 200 or 204
    p95_ms: float
    p99_ms: float
    refused_p95_ms: float  # of the answers with 429
    stages_ms: dict[str, float]  # means, by model server and stage

    def as_json(self) -> dict[str, object]:
        return asdict(self)


async def offer(
    url: str,
    photos: Sequence[bytes],
    rate_per_s: float,
    seconds: float,
    *,
    budget_ms: float = 1000,
    seed: int = 1,
) -> Load:
    """Send photos to a route, each as a form with the field `image`, and wait for all answers."""
    answers = await offer_all(url, photos, rate_per_s, seconds, seed=seed)
    return summarise(answers, rate_per_s, seconds, budget_ms)


async def offer_all(
    url: str, photos: Sequence[bytes], rate_per_s: float, seconds: float, *, seed: int = 1
) -> list[Answer]:
    """The same, answer by answer."""
    chance, due, moments = random.Random(seed), 0.0, []
    while (due := due + chance.expovariate(rate_per_s)) < seconds:
        moments.append(due)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=NO_CACHE
    ) as session:
        began = time.perf_counter()
        return await asyncio.gather(
            *(
                ask(session, url, photos[number % len(photos)], began + moment)
                for number, moment in enumerate(moments)
            )
        )


async def ask(session: aiohttp.ClientSession, url: str, photo: bytes, due: float) -> Answer:
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    form = aiohttp.FormData()
    form.add_field("image", photo, filename="photo.jpg", content_type="image/jpeg")
    status, stages = 0, {}
    try:
        async with session.post(url, data=form) as reply:
            await reply.read()
            status, stages = reply.status, _stages(reply.headers.get(REPORT, ""))
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass  # a lost answer is a result, too
    return Answer(status, (time.perf_counter() - due) * 1000, stages)


def _stages(text: str) -> dict[str, float]:
    try:
        report = Report.model_validate_json(text)
    except ValidationError:  # a peer tells nothing
        return {}
    models = [step.by for step in report.steps]
    models += [report.diagnosed_by] if report.diagnosed_by else []
    times = {
        f"{model.model} {stage.removesuffix('_ms')}": ms
        for model in models
        for stage, ms in model.stages.model_dump().items()
    }
    times["gateway and transport"] = report.total_ms - sum(times.values())
    return times


def summarise(
    answers: Sequence[Answer], rate_per_s: float, seconds: float, budget_ms: float
) -> Load:
    good = [answer.ms for answer in answers if answer.status in (200, 204)]
    refused = [answer.ms for answer in answers if answer.status == 429]
    statuses = Counter(str(answer.status) for answer in answers)
    stages: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        for stage, ms in answer.stages_ms.items():
            stages[stage].append(ms)
    in_time = sum(ms <= budget_ms for ms in good)
    return Load(
        offered_per_s=rate_per_s,
        seconds=seconds,
        statuses=dict(statuses),
        goodput_per_s=round(in_time / seconds, 2),
        p50_ms=_ms(good, 0.5),
        p95_ms=_ms(good, 0.95),
        p99_ms=_ms(good, 0.99),
        refused_p95_ms=_ms(refused, 0.95),
        stages_ms={stage: round(statistics.fmean(ms), 2) for stage, ms in stages.items()},
    )


def _ms(times: Sequence[float], share: float) -> float:
    return round(quantile(times, share), 1)
