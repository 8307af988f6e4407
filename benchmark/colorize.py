"""What colours cost on one core: `python -m benchmark.colorize [NAME…] [--factors 10 21 35]`.

For each network and render factor the CPU time of three forms:

    original   eager float32 with its norms as the checkpoint has them, which is how DeOldify runs
    float32    folded, in OpenVINO
    served     folded, in OpenVINO, in bfloat16 where the processor has units for it

and how far the picture of the last one is from the first one's, in levels. The memory that a served
network needs at most is measured in a process of its own for each render factor. Weights are
random: neither time nor memory depends on them, the distance in levels does.

Machines differ and are seldom idle, so each row has the floor beside it, decoding and encoding one
JPEG of 1280×960. The original's own times were taken where that floor is 6.1 ms; what is served is
compared with them as it would be there.

It may take an hour, so it can be done in parts: each row is saved when it is measured, beside those
measured earlier, and none is begun after `--minutes`.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load.
os.environ.update({**WORKER_ENVIRONMENT, "DARKROOM_KERNELS": str(Path("var/kernels").resolve())})
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy as np  # noqa: E402
import openvino  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from benchmark.floor import FLOOR_THERE_MS, floor_ms  # noqa: E402
from benchmark.saving import RESULTS, machine, save  # noqa: E402
from darkroom.imaging.chroma import SIDE_STEP  # noqa: E402
from darkroom.inference.colorize import to_rgb  # noqa: E402
from darkroom.networks.deoldify.folding import fold  # noqa: E402
from darkroom.networks.deoldify.generator import VARIANTS, Generator, Variant  # noqa: E402
from darkroom.networks.lite import LiteGenerator  # noqa: E402
from darkroom.networks.serving import trace  # noqa: E402

ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
FORMS = ("original", "float32", "served")
ENDS = (FORMS[0], FORMS[-1])
# Seconds of the original code on one thread, on the machine of `benchmark/floor.py`.
ORIGINAL_THERE_S = {
    "artistic": {10: 1.1, 21: 5.0, 35: 13.0},
    "stable": {10: 1.1, 21: 3.9, 35: 11.0},
}
Forward = Callable[[np.ndarray], np.ndarray]
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.colorize", description=__doc__)
    parser.add_argument("names", nargs="*", default=["lite", *VARIANTS])
    parser.add_argument("--factors", nargs="+", type=int, default=[10, 21, 35])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60, help="after these no row is begun")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory_of:
        _forward_once(options.memory_of, options.factors[0])
        return
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            for row in _measure(name, options.factors, options.rounds, Path(folder), until):
                _save(row)
    _show(_saved())


def _measure(
    name: str, factors: list[int], rounds: int, folder: Path, until: float
) -> Iterator[Row]:
    converted = folder / f"{name}.xml"
    example = np.zeros((1, 3, 8 * SIDE_STEP, 8 * SIDE_STEP), np.float32)
    model = trace(fold(_network(name)), (example,), any_side=True)
    openvino.save_model(model, converted, compress_to_fp16=True)
    # First, while this process is small: both together might not fit into the machine.
    peaks_mb = {factor: round(_peak_mb(converted, factor)) for factor in factors}
    network = _network(name)
    forms: dict[str, Forward] = {
        "original": lambda x: _eager(network, x),
        "float32": _compiled(converted, {"INFERENCE_PRECISION_HINT": "f32"}),
        "served": _compiled(converted, {}),
    }
    forms["original"](example)  # the first call sets things up; of a large square it is dear
    for factor in factors:
        if time.monotonic() > until:
            print(f"no time was left for {name} at {factor}")
            continue
        side = SIDE_STEP * factor
        x = np.random.default_rng(0).normal(0, 1, (1, 1, side, side)).repeat(3, axis=1)
        floor = floor_ms()
        seconds, apart = _in_turn(forms, x.astype(np.float32), rounds, name)
        there_s = seconds["served"] * FLOOR_THERE_MS["1.2 Mpx"] / floor
        original_s = ORIGINAL_THERE_S.get(name, {}).get(factor)
        yield {
            "network": name,
            "render_factor": factor,
            "rounds": rounds,
            "floor_ms": round(floor, 1),
            "cpu_s": {form: round(taken, 3) for form, taken in seconds.items()},
            "times_as_fast": round(seconds["original"] / seconds["served"], 2),
            "served_there_s": round(there_s, 3),
            "times_as_fast_there": original_s and round(original_s / there_s, 2),
            "levels_apart": round(apart, 3),
            "peak_mb": peaks_mb[factor],
        }


def _network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return LiteGenerator().eval() if name == "lite" else Generator(_variant(name)).eval()


def _variant(name: str) -> Variant:
    (variant,) = (variant for variant in VARIANTS if variant == name)
    return variant


def _in_turn(
    forms: dict[str, Forward], x: np.ndarray, rounds: int, name: str
) -> tuple[dict[str, float], float]:
    """Median CPU seconds of each form, and how many levels the last is from the first."""
    taken: dict[str, list[float]] = {form: [] for form in forms}
    outputs = {}
    for form in FORMS[1:]:  # OpenVINO prepares itself for each size of its input
        forms[form](x)
    for _ in range(rounds):
        for form, forward in forms.items():
            began = time.process_time()
            outputs[form] = forward(x)
            taken[form].append(time.process_time() - began)
    first, last = (outputs[form] if name == "lite" else to_rgb(outputs[form]) for form in ENDS)
    apart = float(np.abs(first - last).mean()) * 255
    return {form: statistics.median(seconds) for form, seconds in taken.items()}, apart


@torch.inference_mode()
def _eager(network: nn.Module, x: np.ndarray) -> np.ndarray:
    return np.asarray(network(torch.from_numpy(x)).numpy())


def _compiled(converted: Path, settings: dict[str, str]) -> Forward:
    compiled = openvino.compile_model(converted, "CPU", ONE_THREAD | settings)
    request = compiled.create_infer_request()
    return lambda x: np.array(request.infer((x,))[compiled.outputs[0]])


def _peak_mb(converted: Path, factor: int) -> float:
    command = [sys.executable, "-m", "benchmark.colorize"]
    command += ["--memory-of", str(converted), "--factors", str(factor)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _forward_once(converted: Path, factor: int) -> None:
    """Print the most memory this process ever held, in MB.

    Not `ru_maxrss`: it counts what the process that started this one held then.
    """
    side = SIDE_STEP * factor
    _compiled(converted, {})(np.zeros((1, 3, side, side), np.float32))
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) / 1024)


def _saved() -> list[Row]:
    results = RESULTS / "colorize.json"
    if not results.is_file():
        return []
    rows: list[Row] = json.loads(results.read_text())["rows"]
    return rows


def _save(row: Row) -> None:
    """Put a row in the place of the one measured earlier, or behind the others."""
    rows = {(old["network"], old["render_factor"]): old for old in _saved()}
    rows[row["network"], row["render_factor"]] = row
    save("colorize", {**machine(), "rows": [*rows.values()]})
    print(json.dumps(row), flush=True)


def _show(rows: list[Row]) -> None:
    """Print the rows as the model card has them; in brackets what would be there."""
    for row in rows:
        cells = (
            row["network"],
            row["render_factor"],
            f"{row['cpu_s']['original']:.2f}",
            f"{row['cpu_s']['served']:.2f} ({row['served_there_s']:.2f})",
            f"{row['times_as_fast']:.1f}" + _in_brackets(row["times_as_fast_there"]),
            row["peak_mb"],
        )
        print(f"| {' | '.join(map(str, cells))} |")


def _in_brackets(times: float | None) -> str:
    return "" if times is None else f" ({times:.1f})"


if __name__ == "__main__":
    main()
