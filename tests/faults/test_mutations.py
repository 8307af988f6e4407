"""Tens of thousands of spoilt pictures; DARKROOM_FUZZ says how many."""

import asyncio
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import aiohttp
import pytest

from darkroom.contracts.errors import ServiceError
from darkroom.imaging.codec import decode, encode
from tests.end_to_end.pictures import PATIENT_MS
from tests.faults.pictures import spoilt

pytestmark = pytest.mark.faults

COUNT = int(os.environ.get("DARKROOM_FUZZ", "50000"))
PIECE = 1000
HANG_S = 300.0  # for a thousand pictures, which take a few seconds
MAX_PIXELS = 50_000_000  # as in service
SERVERS = ("defects", "restore", "straighten", "tone")
MOST_GROWTH = 600 << 20  # bytes: three times the largest picture that is decoded at all


def decode_all(first: int) -> tuple[Counter[int], float, int]:
    """(how often each status, slowest in s, growth of the peak in bytes) of a thousand pictures."""
    statuses, slowest, before = Counter[int](), 0.0, _peak()
    for number in range(first, first + PIECE):
        began = time.perf_counter()
        try:
            photo = decode(spoilt(number), MAX_PIXELS)
            encode(photo)
            statuses[200] += 1
        except ServiceError as error:
            statuses[error.status] += 1
        slowest = max(slowest, time.perf_counter() - began)
    return statuses, slowest, _peak() - before


def _peak() -> int:
    """Bytes at most in memory so far; `getrusage` would tell those of the parent too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def test_spoilt_pictures_are_decoded_or_refused():
    """A photo, 415 or 422: no other exception, no crash, no hang, no memory beyond bounds."""
    statuses, slowest, growth = Counter[int](), 0.0, 0
    # In a process of its own, so that a crash in a decoder is a failure like any other.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pieces = [pool.submit(decode_all, first) for first in range(0, COUNT, PIECE)]
        for number, piece in enumerate(pieces):
            found = piece.result(timeout=HANG_S * (1 + number))
            statuses += found[0]
            slowest, growth = max(slowest, found[1]), max(growth, found[2])

    print(f"{statuses}, slowest {slowest * 1000:.0f} ms, peak grew by {growth >> 20} MiB")
    assert statuses.total() == -(-COUNT // PIECE) * PIECE
    assert set(statuses) <= {200, 415, 422}
    assert statuses[200]
    assert growth < MOST_GROWTH


async def test_spoilt_pictures_cost_no_worker(cluster):
    """A twentieth of them over HTTP, through real model servers: no 5xx, and nobody restarts."""
    workers = {name: cluster.worker(name).pid for name in SERVERS}
    numbers, statuses = iter(range(COUNT // 20)), Counter[int]()

    async def send(client: aiohttp.ClientSession) -> None:
        for number in numbers:
            path = f"/enhance_image?budget_ms={PATIENT_MS}"
            async with client.post(path, data=spoilt(number)) as reply:
                await reply.read()
                statuses[reply.status] += 1

    async with aiohttp.ClientSession(cluster.url) as client:
        await asyncio.gather(*(send(client) for _ in range(4)))

    print(statuses)
    assert statuses.total() == COUNT // 20
    assert set(statuses) <= {200, 204, 415, 422}
    assert {name: cluster.worker(name).pid for name in SERVERS} == workers
