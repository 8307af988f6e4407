"""What photos in one batch would save on a processor: `python -m benchmark.batches`.

Both handlers answer batches of one to eight dark photos of 1280×960 in this process, in turn, on
one core. Printed and saved is the CPU time for each photo, and how long the first of a batch waits:
all of a batch are answered together.
"""

import argparse
import json
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load: pinned to one core, they find it and nothing more.
os.environ.update({**WORKER_ENVIRONMENT, "NUMBA_CACHE_DIR": str(Path("var/kernels").resolve())})
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

from benchmark.peers.raw import dark_photos  # noqa: E402
from benchmark.unserved import Context, Unserved  # noqa: E402

RESULTS = Path(__file__).parent / "results"
SIZES = (1, 2, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.batches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    photos = dark_photos("1.2 Mpx") * 2
    handlers = {name: Unserved(name) for name in ("defects", "tone")}
    samples = defaultdict[tuple[str, int], list[tuple[float, float]]](list)
    for turn in range(options.rounds + 1):
        for name, unserved in handlers.items():
            for size in SIZES:
                batch = [{"body": photo} for photo in photos[:size]]
                began, spent = time.perf_counter(), time.process_time()
                for _ in range(max(SIZES) // size):
                    unserved.handler.handle(batch, Context())
                cpu_ms = (time.process_time() - spent) / max(SIZES) * 1000
                wait_ms = (time.perf_counter() - began) / (max(SIZES) // size) * 1000
                if turn:  # the first round only warms up
                    samples[name, size].append((cpu_ms, wait_ms))
    rows = [
        {
            "handler": name,
            "batch": size,
            "cpu_ms_per_photo": round(statistics.median(cpu for cpu, _ in each), 2),
            "first_waits_ms": round(statistics.median(wait for _, wait in each), 1),
        }
        for (name, size), each in samples.items()
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "batches.json").write_text(json.dumps(rows, indent=2) + "\n")
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
