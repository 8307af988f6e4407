"""A service that answers as it is told: what clients meet on the other side of HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import OverCapacity, ServiceError
from darkroom.contracts.headers import REPORT
from darkroom.contracts.plan import SkippedStep, SkipReason, needed_steps
from darkroom.contracts.problem import MEDIA_TYPE, Problem
from darkroom.contracts.report import (
    DiagnoseAnswer,
    ModelReply,
    Report,
    StageTimes,
    StepReport,
)

MODEL = ModelReply(
    model="tone", version="1.0", weights_sha256="0" * 12, device="cpu", stages=StageTimes()
)
MENDED = b"the mended photo"


@dataclass
class FakeService:
    """Answers every photo like a Darkroom that finds `found`; photos in `refusals` are refused."""

    url: str = ""
    found: tuple[Defect, ...] = (Defect.LOW_LIGHT, Defect.NOISY)
    refusals: dict[bytes, ServiceError] = field(default_factory=dict)
    busy: int = 0  # so many photos are refused for the load before one is taken
    delay_s: float = 0.0
    company: int = 1  # so many photos have to be there at once before the first is answered
    tells: bool = True  # whether answers carry the report
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        photo = await request.read()
        self.received.append((request.path, dict(request.query), photo))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self.delay_s)
        while self.most_at_once < self.company:  # noqa: ASYNC110 - the client's timeout bounds it
            await asyncio.sleep(0.005)
        self._at_once -= 1
        error = self.refusals.get(photo)
        if self.busy:
            self.busy -= 1
            error = OverCapacity()
        if error:
            document = Problem.of(error, "request-1").model_dump_json().encode()
            wait_s = getattr(error, "retry_after_s", None)
            told = {} if wait_s is None else {"Retry-After": str(wait_s)}
            return web.Response(
                status=error.status, body=document, content_type=MEDIA_TYPE, headers=told
            )
        return self._answer(request.path)

    def _answer(self, path: str) -> web.Response:
        if path == "/detect_problems":
            return web.json_response(list(self.found))
        if path == "/diagnose":
            return web.Response(text=self._diagnosed().model_dump_json())
        steps = needed_steps(self.found)
        report = Report(
            request_id="request-1",
            diagnosis=self._diagnosis(),
            steps=tuple(
                StepReport(enhancer=s.enhancer, defects=s.defects, ms=12, by=MODEL)
                for s in steps
                if s.enhancer == "tone"
            ),
            skipped=self._skipped(),
            total_ms=20,
            budget_ms=1000,
        )
        told = {REPORT: report.model_dump_json()} if self.tells else {}
        if not self.found:
            return web.Response(status=204, headers=told)
        return web.Response(body=MENDED, content_type="image/jpeg", headers=told)

    def _diagnosed(self) -> DiagnoseAnswer:
        return DiagnoseAnswer(
            diagnosis=self._diagnosis(),
            found=self.found,
            steps=needed_steps(self.found),
            skipped=self._skipped(),
            width=8,
            height=6,
        )

    def _diagnosis(self) -> Diagnosis:
        return Diagnosis(
            severities={d: 0.75 if d in self.found else 0.0 for d in Defect},
            thresholds=dict.fromkeys(Defect, 0.5),
        )

    def _skipped(self) -> tuple[SkippedStep, ...]:
        return tuple(
            SkippedStep(
                enhancer=step.enhancer, defects=step.defects, reason=SkipReason.NOT_IN_CLUSTER
            )
            for step in needed_steps(self.found)
            if step.enhancer != "tone"
        )


@contextmanager
def running_service() -> Iterator[FakeService]:
    """A `FakeService` on a free port, on a loop in a thread of its own."""
    service = FakeService()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def open_() -> web.AppRunner:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/{route}", service.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    runner = asyncio.run_coroutine_threadsafe(open_(), loop).result()
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
