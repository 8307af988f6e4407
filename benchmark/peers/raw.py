"""The limit: the handlers alone in a loop, no server around them, one process.

`python -m benchmark.peers.raw SIZE` loads both handlers and says "ready"; for each number of
seconds on standard input it works so long and answers a line of JSON. Where the environment names a
folder in memory, the photo lies there as the gateway puts it, or else each handler gets its bytes.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from benchmark.photos import dark_photos
from benchmark.unserved import Context, Unserved
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.headers import SHARED, STEP
from darkroom.contracts.plan import needed_steps
from darkroom.contracts.report import StepRequest
from darkroom.contracts.sharing import FOLDER_VARIABLE
from darkroom.imaging.header import read_header
from gateway.budget import Budget
from gateway.calls import Work
from gateway.judging import is_doubtful
from gateway.reading import ReceivedPhoto
from gateway.sharing import Sharing

BUDGET_MS = 1000
ROOM = 256 << 20  # bytes


class Loop:
    """What `/enhance_image` has its model servers do with a photo, where these two are all."""

    def __init__(self, sharing: Sharing) -> None:
        self._defects, self._tone = Unserved("defects"), Unserved("tone")
        self._sharing = sharing

    async def mend(self, photo: bytes) -> None:
        received = ReceivedPhoto(photo, read_header(photo))
        async with self._sharing.shared(Work(received, Budget.start(BUDGET_MS), "raw")) as work:
            told, body = _where(work), photo if work.photo.shared is None else b""
            found = Diagnosis.model_validate_json(self._defects.answer(body, Context(told)))
            for step in needed_steps(found.found):
                if step.enhancer is Enhancer.TONE:
                    asked = StepRequest(
                        enhancer=step.enhancer,
                        defects={defect: found.severities[defect] for defect in step.defects},
                        judge=is_doubtful(step, found.severities, found.thresholds),
                    )
                    told = _where(work, is_last=True) | {STEP: asked.model_dump_json()}
                    context = Context(told)
                    self._tone.answer(body, context)
                    if context.status == 200:
                        return
        raise RuntimeError("a dark photo was not mended")


def _where(work: Work, *, is_last: bool = False) -> dict[str, str]:
    """The header that names a shared photo; after the last step nobody needs its pixels."""
    shared = work.photo.shared
    if shared is None:
        return {}
    leave = shared.model_copy(update={"pixels": shared.pixels and not is_last})
    return {SHARED: leave.model_dump_json()}


async def run(photos: list[bytes]) -> None:
    folder = os.environ.get(FOLDER_VARIABLE)
    sharing = Sharing(Path(folder) if folder else None, ROOM)
    with sharing.opened():
        loop = Loop(sharing)
        print("ready", flush=True)
        for line in sys.stdin:
            times, spent = list[float](), time.process_time()
            deadline = time.perf_counter() + float(line)
            while (began := time.perf_counter()) < deadline:
                await loop.mend(photos[len(times) % len(photos)])
                times.append((time.perf_counter() - began) * 1000)
            cpu_s = time.process_time() - spent
            print(json.dumps({"times_ms": times, "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    asyncio.run(run(dark_photos(sys.argv[1])))
