"""What photos in one batch would save on a processor: `python -m benchmark.batches`.

Both handlers answer batches of one to eight dark photos of 1280×960 in this process, in turn, on
one core. Printed and saved is the CPU time for each photo, and how long the first of a batch waits:
all of a batch are answered together.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load: pinned to one core, they find it and nothing more.
os.environ.update({**WORKER_ENVIRONMENT, "DARKROOM_KERNELS": str(Path("var/kernels").resolve())})
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

from benchmark.photos import dark_photos  # noqa: E402
from benchmark.saving import save  # noqa: E402
from benchmark.unserved import Context, Unserved  # noqa: E402

SIZES = (1, 2, 4, 8)
Samples = dict[tuple[str, int], list[tuple[float, float]]]  # CPU and waiting time, ms


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.batches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    rows = [
        {
            "handler": name,
            "batch": size,
            "cpu_ms_per_photo": round(statistics.median(cpu for cpu, _ in each), 2),
            "first_waits_ms": round(statistics.median(wait for _, wait in each), 1),
        }
        for (name, size), each in measure(options.rounds).items()
    ]
    save("batches", rows)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


def measure(rounds: int) -> Samples:
    """For each handler and size of batch the times of every round; the first one only warms up."""
    photos = dark_photos("1.2 Mpx") * 2
    handlers = {name: Unserved(name) for name in ("defects", "tone")}
    samples: Samples = defaultdict(list)
    for turn in range(rounds + 1):
        for name, unserved in handlers.items():
            for size in SIZES:
                times = _answer(unserved, photos[:size])
                if turn:
                    samples[name, size].append(times)
    return samples


def _answer(unserved: Unserved, photos: list[bytes]) -> tuple[float, float]:
    """CPU time for each photo and waiting time for each batch, of as many batches as make eight."""
    batch, batches = [{"body": photo} for photo in photos], max(SIZES) // len(photos)
    began, spent = time.perf_counter(), time.process_time()
    for _ in range(batches):
        unserved.handler.handle(batch, Context())
    cpu_ms = (time.process_time() - spent) / (batches * len(photos)) * 1000
    return cpu_ms, (time.perf_counter() - began) / batches * 1000


if __name__ == "__main__":
    main()
