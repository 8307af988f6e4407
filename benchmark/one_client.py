"""What one client waits for a dark photo: `python -m benchmark.one_client`, beside `make up`.

Sends the photo again and again over one connection. The handlers' own time is what the model
servers report, from a request to its reply; the rest is gateway, TorchServe and HTTP, this client
included.
"""

import argparse
import asyncio
import http.client
import statistics
import time
from urllib.parse import urlsplit

from benchmark.closed_loop import WARM_UP_S
from benchmark.open_loop import NO_CACHE
from benchmark.photos import SIZES, dark_photos
from benchmark.saving import machine, save
from benchmark.stealing import undisturbed
from darkroom.contracts.headers import REPORT
from darkroom.contracts.report import Report

SHARES = {"1.2 Mpx": 1.0, "12 Mpx": 0.125}  # of the count: large photos take their time
SPELL = 20  # photos between two looks at what was stolen meanwhile


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
    return waited_ms, sum(model.took_ms for model in models)


async def measure(url: str, photos: list[bytes], count: int) -> dict[str, float]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    warm_at = time.perf_counter() + WARM_UP_S
    while time.perf_counter() < warm_at:
        for photo in photos:
            ask(connection, photo)
    turns = list(photos) * (SPELL // len(photos))

    async def spell() -> list[tuple[float, float]]:
        return [ask(connection, photo) for photo in turns]

    times: list[tuple[float, float]] = []
    while len(times) < count:
        times += (await undisturbed(spell))[0]
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
    parser.add_argument("--count", type=int, default=200, help="of small photos")
    options = parser.parse_args()
    document = machine()
    for size in SIZES:
        count = round(options.count * SHARES[size])
        times = asyncio.run(measure(options.url, dark_photos(size), count))
        document[size] = times
        print(size, "  ".join(f"{name} {value}" for name, value in times.items()))
    save("one_client", document)


if __name__ == "__main__":
    main()
