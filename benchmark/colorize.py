"""What colours cost on one core: `python -m benchmark.colorize [NAME…] [--factors 10 21 35]`.

For each network and render factor the CPU time of three forms, in turn, round by round:

    original   eager float32 with its norms as the checkpoint has them, which is how DeOldify runs
    float32    folded, in OpenVINO
    served     folded, in OpenVINO, in bfloat16 where the processor has units for it

and how far the picture of the last one is from the first one's, in levels. The memory that a served
network needs at most is measured in a process of its own for each render factor. Weights are
random: neither time nor memory depends on them.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from darkroom.cluster.environment import WORKER_ENVIRONMENT

# Read by the libraries when they load.
os.environ.update({**WORKER_ENVIRONMENT, "NUMBA_CACHE_DIR": str(Path("var/kernels").resolve())})
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy as np  # noqa: E402
import openvino  # noqa: E402
import torch  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from torch import nn  # noqa: E402

from darkroom.networks.colorize import SIDE_STEP, to_rgb  # noqa: E402
from darkroom.networks.deoldify.folding import fold  # noqa: E402
from darkroom.networks.deoldify.generator import VARIANTS, Generator, Variant  # noqa: E402
from darkroom.networks.lite import LiteGenerator  # noqa: E402
from darkroom.networks.runtime import convert_network  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "colorize.json"
ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
FORMS = ("original", "float32", "served")
Forward = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.colorize", description=__doc__)
    parser.add_argument("names", nargs="*", default=["lite", *VARIANTS])
    parser.add_argument("--factors", nargs="+", type=int, default=[10, 21, 35])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory_of:
        _forward_once(options.memory_of, options.factors[0])
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            rows += _measure(name, options.factors, options.rounds, Path(folder))
    _show(rows)
    machine = {"processor": platform.processor() or platform.machine(), "rounds": options.rounds}
    RESULTS.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


def _network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return LiteGenerator().eval() if name == "lite" else Generator(_variant(name)).eval()


def _variant(name: str) -> Variant:
    (variant,) = (variant for variant in VARIANTS if variant == name)
    return variant


def _measure(name: str, factors: list[int], rounds: int, folder: Path) -> list[dict[str, Any]]:
    network = _network(name)
    converted = folder / f"{name}.xml"
    example = np.zeros((1, 3, 8 * SIDE_STEP, 8 * SIDE_STEP), np.float32)
    convert_network(fold(_network(name)), (example,), converted, any_side=True)
    forms: dict[str, Forward] = {
        "original": lambda x: _eager(network, x),
        "float32": _compiled(converted, {"INFERENCE_PRECISION_HINT": "f32"}),
        "served": _compiled(converted, {}),
    }
    rows = []
    for factor in factors:
        side = SIDE_STEP * factor
        x = np.random.default_rng(0).normal(0, 1, (1, 1, side, side)).repeat(3, axis=1)
        seconds = _in_turn(forms, x.astype(np.float32), rounds)
        row = {"network": name, "render_factor": factor, "cpu_s": seconds}
        row["times_as_fast"] = seconds["original"] / seconds["served"]
        row["levels_apart"] = _levels_apart(forms, x.astype(np.float32), name)
        row["peak_mb"] = _peak_mb(converted, factor)
        rows.append(row)
    return rows


def _in_turn(forms: dict[str, Forward], x: np.ndarray, rounds: int) -> dict[str, float]:
    """Median CPU seconds of each form, without the first call of each, which sets things up."""
    taken: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(rounds + 1):
        for form, forward in forms.items():
            began = time.process_time()
            forward(x)
            taken[form].append(time.process_time() - began)
    return {form: statistics.median(seconds[1:]) for form, seconds in taken.items()}


def _levels_apart(forms: dict[str, Forward], x: np.ndarray, name: str) -> float:
    first, last = forms["original"](x), forms["served"](x)
    if name != "lite":
        first, last = to_rgb(first), to_rgb(last)
    return float(np.abs(first - last).mean()) * 255


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
    """Print the most memory this process ever held, in MB."""
    side = SIDE_STEP * factor
    _compiled(converted, {})(np.zeros((1, 3, side, side), np.float32))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("network", "render factor", *(f"{form}, s" for form in FORMS))
    for title in ("times as fast", "levels apart", "peak MB"):
        table.add_column(title, justify="right")
    for row in rows:
        times = (f"{row['cpu_s'][form]:.2f}" for form in FORMS)
        table.add_row(
            *(row["network"], str(row["render_factor"]), *times),
            *(f"{row['times_as_fast']:.1f}", f"{row['levels_apart']:.2f}"),
            f"{row['peak_mb']:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
