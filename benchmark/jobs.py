"""Whether a thousand jobs disturb anybody: `python -m benchmark.jobs`, beside `make up`.

A gentle stream of photos goes through `/enhance_image`, in turn alone and while a thousand other
photos of one megapixel are taken in as jobs and worked on. Measured are the time until they have
been taken in, what the stream waits without and with them, and how many are done beside it. The
stream is that of `tone`, and so are the jobs: `restore` would keep a core busy by itself at this
rate. Printed and saved.
"""

import argparse
import asyncio
import http.client
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmark.open_loop import PATIENCE_S, Answer, Load, offer_all, summarise
from benchmark.photos import DARK, PHOTOS, dark_photos, make_photo
from benchmark.saving import machine, save
from darkroom.contracts.jobs import FILE_FIELD, JOBS_ROUTE, SESSION_HEADER, OrderProgress

ONE_MEGAPIXEL = (1152, 868, 210_000)  # width, height, bytes
STREAM = "/enhance_image?steps=tone&budget_ms=10000"  # so that nobody is refused
MOST_S, MOST_SLOWER = 30.0, 1.2  # wanted, as far as the machine has nothing else to do


@dataclass
class Phase:
    """What came of the stream, over all rounds."""

    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0

    def load(self, rate_per_s: float) -> Load:
        return summarise(self.answers, rate_per_s, self.seconds, PATIENCE_S * 1000)


class Client:
    """Hands orders over in a session of its own, from a thread: the stream does not wait."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._session = secrets.token_hex(16)

    async def post(self, photos: Sequence[bytes]) -> tuple[OrderProgress, float]:
        """Hand photos over as one order: what came of it, and the seconds until the answer."""
        boundary = secrets.token_hex(16)
        body = _form(photos, {"operation": "enhance", "steps": "tone"}, boundary)
        told = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        began = time.perf_counter()
        answer = await self._call("POST", JOBS_ROUTE, body, told)
        return OrderProgress.model_validate_json(answer), time.perf_counter() - began

    async def order(self, order: OrderProgress) -> OrderProgress:
        answer = await self._call("GET", f"{JOBS_ROUTE}/{order.id}")
        return OrderProgress.model_validate_json(answer)

    async def delete(self, order: OrderProgress) -> None:
        await self._call("DELETE", f"{JOBS_ROUTE}/{order.id}")

    async def _call(
        self, method: str, path: str, body: bytes = b"", told: dict[str, str] | None = None
    ) -> bytes:
        return await asyncio.to_thread(self._call_now, method, path, body, told or {})

    def _call_now(self, method: str, path: str, body: bytes, told: dict[str, str]) -> bytes:
        host, port = self._address.hostname or "", self._address.port
        connection = http.client.HTTPConnection(host, port, timeout=600)
        connection.request(method, path, body, {SESSION_HEADER: self._session, **told})
        reply = connection.getresponse()
        answer = reply.read()
        connection.close()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {answer[:300]!r}")
        return answer


def _form(photos: Sequence[bytes], fields: dict[str, str], boundary: str) -> bytes:
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="{FILE_FIELD}"; filename="{n}.jpg"', p) for n, p in enumerate(photos)]
    pieces = list[bytes]()
    for head, value in parts:
        head = f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n"
        pieces += (head.encode(), value, b"\r\n")
    return b"".join((*pieces, f"--{boundary}--\r\n".encode()))


def different(photos: Sequence[bytes], count: int) -> list[bytes]:
    """So many JPEGs, each with a comment of its own: no two are equal work."""
    marked = list[bytes]()
    for number in range(count):
        photo, word = photos[number % len(photos)], secrets.token_hex(16).encode()
        comment = b"\xff\xfe" + (len(word) + 2).to_bytes(2) + word
        marked.append(photo[:2] + comment + photo[2:])
    return marked


class Benchmark:
    """Alone and with jobs in turn, so that what else the machine does falls on both alike."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._client = Client(options.url)
        self._stream = dark_photos("1.2 Mpx")
        self._photos = [make_photo(name, *ONE_MEGAPIXEL, DARK) for name in PHOTOS]
        self._offers = 0
        self._alone, self._beside = Phase(), Phase()
        self._taken_in_s: list[float] = []
        self._ended = 0

    async def run(self) -> dict[str, object]:
        await self._offer(Phase())  # all code has been run once
        for _ in range(self._options.rounds):
            await asyncio.sleep(self._options.rest)  # the places of deleted jobs leave the queue
            await self._offer(self._alone)
            await self._beside_jobs()
        return self._amount()

    async def _beside_jobs(self) -> None:
        photos = different(self._photos, self._options.jobs)
        posting = asyncio.create_task(self._client.post(photos))
        await self._offer(self._beside)
        order, seconds = await posting
        if order.total != len(photos):
            raise RuntimeError(f"{order.total} of {len(photos)} jobs were taken in")
        self._taken_in_s.append(round(seconds, 2))
        now = await self._client.order(order)
        self._ended += now.completed + now.failed
        await self._client.delete(order)

    async def _offer(self, phase: Phase) -> None:
        self._offers += 1
        seconds, rate, url = self._options.seconds, self._options.rate, self._options.url + STREAM
        phase.answers += await offer_all(url, self._stream, rate, seconds, seed=self._offers)
        phase.seconds += seconds

    def _amount(self) -> dict[str, object]:
        alone, beside = (phase.load(self._options.rate) for phase in (self._alone, self._beside))
        return {
            **machine(),
            "jobs": self._options.jobs,
            "taken_in_s": self._taken_in_s,
            "p95_beside_by_alone": round(beside.p95_ms / alone.p95_ms, 3),
            "p50_beside_by_alone": round(beside.p50_ms / alone.p50_ms, 3),
            "jobs_ended_per_s": round(self._ended / self._beside.seconds, 2),
            "alone": alone.as_json(),
            "beside": beside.as_json(),
        }


def show(document: dict[str, Any]) -> None:
    wanted = {
        "taken_in_s": max(document["taken_in_s"]) <= MOST_S,
        "p95_beside_by_alone": document["p95_beside_by_alone"] <= MOST_SLOWER,
    }
    for name, value in document.items():
        if name not in ("alone", "beside"):
            print(f"{name:<20} {value!s:>24}  {'' if name not in wanted else '✗✓'[wanted[name]]}")
    for phase in ("alone", "beside"):
        load = document[phase]
        print(f"{phase:<20} p50 {load['p50_ms']} p95 {load['p95_ms']} {load['statuses']}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.jobs", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:9000")
    parser.add_argument("--jobs", type=int, default=1000, help="in one order")
    parser.add_argument("--rate", type=float, default=3.0, help="photos of the stream a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds between rounds")
    options = parser.parse_args()
    document = asyncio.run(Benchmark(options).run())
    save("jobs", document)
    show(document)


if __name__ == "__main__":
    main()
