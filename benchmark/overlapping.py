"""What threads gain for the photos of a batch: `python -m benchmark.overlapping`.

`defects` and `tone` answer batches in this process, on two cores: one photo after another, with
two threads for each stage in turn, and with the stages overlapped (`handlers/overlapping.py`). Once
with their own networks and once with a stand-in for one on a GPU, which takes milliseconds for each
photo and nothing of the processor: it sleeps. In turn; where a machine is shared only the best of
many rounds says how long a batch takes, the processor time says what it costs.
"""

import argparse
import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load.
os.environ.update({**WORKER_ENVIRONMENT, "DARKROOM_KERNELS": str(Path("var/kernels").resolve())})

from benchmark.photos import dark_photos
from benchmark.saving import machine, save
from benchmark.unserved import Context, Unserved
from darkroom.inference.runtime import Arrays, Network
from handlers.overlapping import Overlap

THREADS = 2
BATCHES = (("1.2 Mpx", 8), ("1.2 Mpx", 16), ("12 Mpx", 4))  # a few of the large ones
NETWORKS_ELSEWHERE_MS = (0, 5)  # for each photo; 0: the handler's own, on the processor
CALL_MS = 0.5  # for each call, to start with
IN_TURN, BY_STAGE, OVERLAPPED = "one after another", "stage by stage", "overlapped"
Case = tuple[str, str, int, float]  # handler, size, photos of a batch, network elsewhere
Samples = dict[tuple[Case, str], list[tuple[float, float]]]  # wall and CPU time for a photo, ms


class Elsewhere:
    """Stands in for a network on a GPU: the true one's answer for its first photo, after a while.

    One at a time, as a GPU does; meanwhile other threads have the processor.
    """

    def __init__(self, network: Network, ms: float) -> None:
        self._network, self._ms = network, ms
        self._answer: Arrays | None = None
        self._lock = threading.Lock()

    def __call__(self, *arrays: np.ndarray) -> Arrays:
        if self._answer is None:
            self._answer = self._network(*(array[:1] for array in arrays))
        with self._lock:
            time.sleep((CALL_MS + self._ms * len(arrays[0])) / 1000)
        return tuple(np.repeat(output, len(arrays[0]), axis=0) for output in self._answer)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.overlapping", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    samples: Samples = defaultdict(list)
    photos = {size: dark_photos(size) for size, _ in BATCHES}
    for name in ("defects", "tone"):
        measure(name, photos, options.rounds, samples)
    rows = [*rows_of(samples)]
    save("overlapping", {**machine(), "threads": THREADS, "rounds": options.rounds, "rows": rows})
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


def measure(name: str, photos: dict[str, list[bytes]], rounds: int, samples: Samples) -> None:
    """All cases of a handler, in turn; the first round only warms up."""
    handler = Unserved(name).handler
    asked = vars(handler)["classifier" if name == "defects" else "toner"]
    networks: dict[float, Network] = {0: asked.network}
    networks |= {ms: Elsewhere(asked.network, ms) for ms in NETWORKS_ELSEWHERE_MS if ms}
    for turn in range(rounds + 1):
        for size, count in BATCHES:
            batch = [{"body": photos[size][i % len(photos[size])]} for i in range(count)]
            ways = {
                IN_TURN: None,
                BY_STAGE: Overlap(THREADS, at_once=count),
                OVERLAPPED: Overlap(THREADS, at_once=THREADS),
            }
            for ms, asked.network in networks.items():
                for way, handler.overlap in ways.items():
                    began, spent = time.perf_counter(), time.process_time()
                    handler.handle(batch, Context())
                    wall, cpu = time.perf_counter() - began, time.process_time() - spent
                    if turn:
                        key = (name, size, count, ms), way
                        samples[key].append((wall / count * 1000, cpu / count * 1000))


def rows_of(samples: Samples) -> Iterator[dict[str, object]]:
    for (case, way), times in samples.items():
        in_turn = samples[case, IN_TURN]
        name, size, count, ms = case
        yield {
            "handler": name,
            "photos": f"{count} of {size}",
            "network_elsewhere_ms": ms,
            "way": way,
            "best_ms": round(min(wall for wall, _ in times), 2),
            "of_in_turn": round(min(times)[0] / min(in_turn)[0], 2),
            "cpu_ms": round(statistics.median(cpu for _, cpu in times), 2),
            "cpu_of_in_turn": round(
                statistics.median(
                    cpu / before for (_, cpu), (_, before) in zip(times, in_turn, strict=True)
                ),
                2,
            ),
        }


if __name__ == "__main__":
    main()
