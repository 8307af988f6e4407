"""What the handlers cost on one core, stage by stage: `python -m benchmark.handlers`.

Both handlers answer JPEGs of 1280×960 and 4000×3000 in this process, pinned to one core. Machines
differ and are seldom idle, so the floor, decoding and encoding alone, is measured in the same
rounds, in turn with the handlers; beside the CPU time as it is here stands what it would be where
the bounds were set (`benchmark/floor.py`). Medians are printed and saved.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load: pinned to one core, they find it and nothing more.
os.environ.update({**WORKER_ENVIRONMENT, "DARKROOM_KERNELS": str(Path("var/kernels").resolve())})
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import simplejpeg  # noqa: E402
from rich.box import SIMPLE  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmark.floor import FLOOR_THERE_MS, recode  # noqa: E402
from benchmark.photos import PHOTOS, SIZES, make_photo  # noqa: E402
from benchmark.saving import machine, save  # noqa: E402
from benchmark.unserved import Context, Unserved  # noqa: E402
from darkroom.contracts.headers import BUDGET  # noqa: E402

BOUNDS_MS = {
    ("defects", "1.2 Mpx"): 10,
    ("defects", "12 Mpx"): 60,
    ("restore", "1.2 Mpx"): 500,
    ("restore", "12 Mpx"): 900,
    ("tone", "1.2 Mpx"): 25,
    ("tone", "12 Mpx"): 220,
}
# What the gateway leaves of its second: where it is short, a smaller working size is chosen.
BUDGETS_MS = {("restore", "12 Mpx"): 900}
HANDLERS = ("defects", "restore", "tone")
FLOOR = "decode + encode"
STAGES = ("decode_ms", "network_ms", "apply_ms", "encode_ms")
Samples = dict[tuple[str, str], list[dict[str, float]]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.handlers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    photos = {size: [make_photo(name, *shape) for name in PHOTOS] for size, shape in SIZES.items()}
    samples = measure({name: Unserved(name) for name in HANDLERS}, photos, options.rounds)
    medians = {
        key: {name: round(statistics.median(s[name] for s in each), 2) for name in each[0]}
        for key, each in samples.items()
    }
    for (_, size), times in medians.items():
        speed = medians[FLOOR, size]["cpu_ms"] / FLOOR_THERE_MS[size]
        times["cpu_there_ms"] = round(times["cpu_ms"] / speed, 2)
    show(medians)
    save("handlers", document_of(medians, photos, options.rounds))


def measure(handlers: dict[str, Unserved], photos: dict[str, list[bytes]], rounds: int) -> Samples:
    """Times of each (work, size), everything in turn; the first round only warms up."""
    samples: Samples = defaultdict(list)
    for turn in range(rounds + 1):
        for size, payloads in photos.items():
            payload = payloads[turn % len(payloads)]
            times = {("decode", size): _timed(simplejpeg.decode_jpeg, payload)}
            times[FLOOR, size] = _timed(recode, payload)
            for name, handler in handlers.items():
                times[name, size] = _handled(handler, payload, BUDGETS_MS.get((name, size)))
            if turn:
                for key, sample in times.items():
                    samples[key].append(sample)
    return samples


def _timed(work: Callable[[bytes], object], payload: bytes) -> dict[str, float]:
    start, spent = time.perf_counter(), time.process_time()
    work(payload)
    return {
        "total_ms": (time.perf_counter() - start) * 1000,
        "cpu_ms": (time.process_time() - spent) * 1000,
    }


def _handled(handler: Unserved, payload: bytes, budget_ms: float | None) -> dict[str, float]:
    context = Context({} if budget_ms is None else {BUDGET: str(budget_ms)})
    times = _timed(lambda body: handler.answer(body, context), payload)
    if context.reply is None:
        raise RuntimeError(f"{type(handler.handler).__name__} answered {context.status}")
    if budget_ms is not None:
        times["working_px"] = float(context.reply.notes.get("working_px", 0))
    return {**times, **{stage: getattr(context.reply.stages, stage) for stage in STAGES}}


def show(medians: dict[tuple[str, str], dict[str, float]]) -> None:
    stages = (stage.removesuffix("_ms") for stage in STAGES)
    table = Table("", "photo", *stages, "total", "CPU", "CPU there", "bound", box=SIMPLE, padding=0)
    for (work, size), times in sorted(medians.items(), key=lambda item: item[0][::-1]):
        bound = BOUNDS_MS.get((work, size))
        there = times["cpu_there_ms"]
        verdict = "" if bound is None else f"{bound} {'✓' if times['cpu_ms'] <= bound else '✗'}"
        cells = (f"{times[s]:.1f}" if times.get(s) else "" for s in STAGES)
        totals = (f"{ms:.1f}" for ms in (times["total_ms"], times["cpu_ms"], there))
        table.add_row(work, size, *cells, *totals, verdict)
    Console(width=100).print(table, "Medians in ms on one core; stages and total by the clock.")


def document_of(
    medians: dict[tuple[str, str], dict[str, float]], photos: dict[str, list[bytes]], rounds: int
) -> dict[str, object]:
    results = [
        {"work": work, "photo": size, **times, "bound_ms": BOUNDS_MS.get((work, size))}
        for (work, size), times in medians.items()
    ]
    return {
        **machine(),
        "rounds": rounds,
        "photo_bytes": {size: [len(p) for p in payloads] for size, payloads in photos.items()},
        "medians": results,
    }


if __name__ == "__main__":
    main()
