"""What one client waits for a dark photo: `python -m benchmark.one_client`, beside `make up`.

Sends the photo again and again over one connection. The handlers' own time is what the model
servers report; the rest is gateway, TorchServe and HTTP, this client included.
"""

import argparse
import http.client
import json
import os
import platform
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmark.open_loop import NO_CACHE
from benchmark.photos import PHOTOS, SIZES, make_photo
from darkroom.contracts.headers import REPORT
from darkroom.contracts.report import Report

DARK = 0.35
RESULTS = Path(__file__).parent / "results"


def ask(connection: http.client.HTTPConnection, photo: bytes) -> tuple[float, float]:
    """Milliseconds that one answer took, and those of them that the handlers report."""
    start = time.perf_counter()
    connection.request("POST", "/enhance_image?steps=tone&budget_ms=10000", photo, NO_CACHE)
    reply = connection.getresponse()
    reply.read()
    waited_ms = (time.perf_counter() - start) * 1000
    report = Report.model_validate_json(reply.headers[REPORT])
    if reply.status != 200 or report.diagnosed_by is None:
        raise RuntimeError(f"the photo was answered with {reply.status}: nothing was mended")
    models = [report.diagnosed_by, *(step.by for step in report.steps)]
    return waited_ms, sum(model.stages.total_ms for model in models)


def measure(url: str, photos: list[bytes], count: int) -> dict[str, float]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    for photo in photos * 3:
        ask(connection, photo)
    times = [ask(connection, photos[turn % len(photos)]) for turn in range(count)]
    connection.close()
    waited, handled = zip(*times, strict=True)
    added = [whole / own - 1 for whole, own in times]
    return {
        "p50_ms": round(statistics.median(waited), 1),
        "p95_ms": round(statistics.quantiles(waited, n=20)[-1], 1),
        "handlers_p50_ms": round(statistics.median(handled), 1),
        "added_p50": round(statistics.median(added), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.one_client", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:9000")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    document: dict[str, object] = {"machine": platform.machine(), "load": os.getloadavg()[0]}
    for size, shape in SIZES.items():
        photos = [make_photo(name, *shape, light=DARK) for name in PHOTOS]
        times = measure(options.url, photos, max(20, options.count // (1 if "1.2" in size else 8)))
        document[size] = times
        print(size, "  ".join(f"{name} {value}" for name, value in times.items()))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "one_client.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
