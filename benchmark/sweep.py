r"""Services side by side at growing rates: `python -m benchmark.sweep NAME=URL[@PID]…`.

    make up &                                  # Darkroom
    python -m benchmark.classical &            # one to compare with, in another terminal
    python -m benchmark.sweep darkroom=http://127.0.0.1:9000@4711 \
        classical=http://127.0.0.1:9100@4712 --rates 5,10,20,40 --seconds 15 --rounds 3

At each rate the services take turns, round by round, so that a noisy machine is noisy for all.
Where the process id of a service is given (`darkroom up`, `benchmark.classical`), the CPU time of
it and all below it is counted, and what 1000 photos cost at a rented core's price. Results are
saved as JSON and as plots in `benchmark/results`.
"""

import argparse
import asyncio
import os
import statistics
from dataclasses import dataclass

from benchmark.figures import dollars_per_1000
from benchmark.open_loop import Load, offer
from benchmark.photos import DARK, LIGHT, PHOTOS, SIZES, make_photo
from benchmark.plots import plot_sweep
from benchmark.processes import cpu_s
from benchmark.saving import machine, save

SETTLE_S = 1.0


@dataclass(frozen=True)
class Target:
    name: str
    url: str
    pid: int | None

    @classmethod
    def parse(cls, word: str) -> "Target":
        name, _, rest = word.partition("=")
        url, _, pid = rest.partition("@")
        return cls(name, url.rstrip("/"), int(pid) if pid else None)

    def cpu_s(self) -> float:
        """CPU seconds so far of all processes of this service; 0 where they are not known."""
        return 0.0 if self.pid is None else cpu_s([self.pid])


async def measure(
    target: Target, photos: list[bytes], rate: float, seconds: float
) -> dict[str, object]:
    before = target.cpu_s()
    load = await offer(f"{target.url}/enhance_image", photos, rate, seconds)
    used = target.cpu_s() - before
    done = sum(count for status, count in load.statuses.items() if status in ("200", "204"))
    document = load.as_json() | {"load_average": os.getloadavg()[0]}
    if target.pid is not None and done:
        cpu_ms = used / done * 1000
        document["cpu_ms_per_photo"] = round(cpu_ms, 1)
        document["dollars_per_1000"] = round(dollars_per_1000(cpu_ms), 5)
    _say(target, load, document)
    return document


def _say(target: Target, load: Load, document: dict[str, object]) -> None:
    print(
        f"{target.name:>12} {load.offered_per_s:6.1f}/s  good {load.goodput_per_s:6.1f}/s  "
        f"p50 {load.p50_ms:6.0f}  p95 {load.p95_ms:6.0f}  p99 {load.p99_ms:6.0f} ms  "
        f"{load.statuses}  cpu {document.get('cpu_ms_per_photo', '–')} ms",
        flush=True,
    )


async def sweep(options: argparse.Namespace) -> dict[str, object]:
    targets = [Target.parse(word) for word in options.targets]
    lights = [DARK] if options.dark else [DARK, LIGHT]
    photos = [make_photo(n, *SIZES[options.size], light) for n in PHOTOS for light in lights]
    runs: dict[str, list[dict[str, object]]] = {target.name: [] for target in targets}
    for rate in options.rates:
        for _ in range(options.rounds):
            for target in targets:
                await asyncio.sleep(SETTLE_S)
                runs[target.name].append(await measure(target, photos, rate, options.seconds))
    return {
        **machine(),
        "cores": os.cpu_count(),
        "size": options.size,
        "photos": "dark" if options.dark else "half of them dark",
        "seconds": options.seconds,
        "runs": runs,
        "highest_rate_within_1_s": {name: highest_rate(of) for name, of in runs.items()},
    }


def highest_rate(runs: list[dict[str, object]], within_ms: float = 1000) -> float:
    """The highest offered rate at which no answer was lost and the median p95 is in time."""
    best = 0.0
    for rate in sorted({float(str(run["offered_per_s"])) for run in runs}):
        same = [run for run in runs if run["offered_per_s"] == rate]
        p95 = statistics.median(float(str(run["p95_ms"])) for run in same)
        complete = all(set(_statuses(run)) <= {"200", "204"} for run in same)
        if complete and p95 <= within_ms:
            best = rate
    return best


def _statuses(run: dict[str, object]) -> dict[str, int]:
    statuses = run["statuses"]
    assert isinstance(statuses, dict)
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark.sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="+", metavar="NAME=URL[@PID]")
    parser.add_argument("--size", choices=SIZES, default="1.2 Mpx")
    parser.add_argument("--dark", action="store_true", help="dark photos alone: each is mended")
    parser.add_argument(
        "--rates",
        type=lambda text: [float(word) for word in text.split(",")],
        default=[5.0, 10.0, 20.0, 40.0],
        help="requests a second, separated by commas",
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--name", default="sweep", help="of the files in benchmark/results")
    options = parser.parse_args()
    document = asyncio.run(sweep(options))
    plot_sweep(document, save(options.name, document))
    print("highest rate with p95 within 1 s:", document["highest_rate_within_1_s"])


if __name__ == "__main__":
    main()
