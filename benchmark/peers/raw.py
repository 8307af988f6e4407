"""The limit: the handlers alone in a loop, no server around them, one process.

`python -m benchmark.peers.raw` loads both handlers and says "ready"; for each number of seconds on
standard input it works so long and answers a line of JSON.
"""

import json
import sys
import time

from benchmark.photos import dark_photos
from benchmark.unserved import Context, Unserved
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.headers import STEP
from darkroom.contracts.plan import needed_steps
from darkroom.contracts.report import StepRequest
from gateway.judging import is_doubtful


def mend(defects: Unserved, tone: Unserved, photo: bytes) -> None:
    """What `/enhance_image` has its model servers do with a photo, where these two are all."""
    found = Diagnosis.model_validate_json(defects.answer(photo, Context()))
    for step in needed_steps(found.found):
        if step.enhancer is Enhancer.TONE:
            asked = StepRequest(
                enhancer=step.enhancer,
                defects={defect: found.severities[defect] for defect in step.defects},
                judge=is_doubtful(step, found.severities, found.thresholds),
            )
            context = Context({STEP: asked.model_dump_json()})
            tone.answer(photo, context)
            if context.status == 200:
                return
    raise RuntimeError("a dark photo was not mended")


def main() -> None:
    defects, tone, photos = Unserved("defects"), Unserved("tone"), dark_photos(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        times, spent = list[float](), time.process_time()
        deadline = time.perf_counter() + float(line)
        while (began := time.perf_counter()) < deadline:
            mend(defects, tone, photos[len(times) % len(photos)])
            times.append((time.perf_counter() - began) * 1000)
        cpu_s = time.process_time() - spent
        print(json.dumps({"times_ms": times, "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    main()
