"""Hundreds of clients that send or read a byte now and then, while others want photos mended."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import numpy as np
import psutil
import pytest
from PIL import Image

from darkroom.contracts import headers
from tests.gateway.photos import a_photo, encode
from tests.gateway.process import gateway_process
from tests.gateway.replica import a_model_reply, answers

pytestmark = pytest.mark.faults

HELD_BYTES = 256 << 20
SETTINGS = {
    "DARKROOM_CACHE_TTL_S": "0",
    "DARKROOM_BUDGET_MS": "30000",
    "DARKROOM_MAX_HELD_BYTES": str(HELD_BYTES),
}
GIVEN_UP_S = 120.0  # bounds a hang: they are given up after 10 to 20 seconds
LARGE = encode(  # 8 MB: more than the system keeps for a reader
    Image.fromarray(np.random.default_rng(2).integers(0, 256, (1600, 1700, 3), dtype=np.uint8)),
    "PNG",
)
HEAD = b"POST /enhance_image HTTP/1.1\r\nHost: x\r\nX-Padding: %s\r\n\r\n" % (b"x" * 8000)
BODY = b"POST /enhance_image HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
WHOLE = b"POST /enhance_image HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
    len(a_photo("PNG")),
    a_photo("PNG"),
)


async def until_given_up(port: int, at_once: bytes, trickled: bytes, read_bytes: int) -> None:
    """Keep a connection that sends and reads so little each second until the gateway ends it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    with client, suppress(ConnectionError):
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, at_once)
        for byte in trickled or bytes(1000):
            await asyncio.sleep(1)
            if trickled:
                await loop.sock_sendall(client, bytes([byte]))
            with suppress(BlockingIOError):
                if not client.recv(read_bytes):
                    break


async def p95_s(client: aiohttp.ClientSession, count: int) -> float:
    """Of so many photos, one every 150 ms; each has to be answered with 200."""

    async def one() -> float:
        began = time.monotonic()
        async with client.post("/enhance_image", data=a_photo()) as reply:
            await reply.read()
            assert reply.status == 200
        return time.monotonic() - began

    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(0.15)
    return sorted(await asyncio.gather(*tasks))[int(0.95 * count)]


@pytest.fixture
async def gateway(replica) -> AsyncIterator[tuple[int, psutil.Process, aiohttp.ClientSession]]:
    """Port and process of a gateway whose PNGs come back large, and a client of it."""
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    enlarge = answers(200, LARGE, **told)

    async def tone(request):
        is_png = (await request.read()).startswith(b"\x89PNG")
        return await (enlarge if is_png else replica._answer)(request)

    replica.behaviours["tone"] = tone
    async with gateway_process(replica.url, **SETTINGS) as (process, client):
        yield client._base_url.port, psutil.Process(process.pid), client


KINDS = {  # how many, one every so many seconds, what is sent at once, by the byte, and read
    "heads": (500, 0.005, b"", HEAD, 100),
    "bodies": (100, 0.005, BODY, bytes(9000), 100),
    "readers": (24, 0.15, WHOLE, b"", 1000),  # of 190 MB: less than may be held at the same time
}


async def given_up(process: psutil.Process, files_before: int) -> None:
    """Return when the gateway has closed the connections that were opened since."""
    async with asyncio.timeout(GIVEN_UP_S):
        while process.num_fds() > files_before + 10:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.1)


async def nothing_is_held(client: aiohttp.ClientSession) -> bool:
    async with client.get("/metrics") as reply:
        lines = (await reply.text()).splitlines()
    return {"darkroom_held_bytes 0.0", "darkroom_photos_in_flight 0.0"} <= set(lines)


@pytest.mark.parametrize("kind", KINDS)
async def test_slow_clients_are_given_up_and_harm_nobody(gateway, kind):
    """Others get their photos meanwhile; afterwards no socket and no byte is held for the slow."""
    port, process, client = gateway
    quiet_s, files_before, most_files = await p95_s(client, 40), process.num_fds(), 0
    count, pause_s, *behaviour = KINDS[kind]

    slow = []
    for _ in range(count):
        slow.append(asyncio.create_task(until_given_up(port, *behaviour)))
        await asyncio.sleep(pause_s)
        most_files = max(most_files, process.num_fds())
    began = time.monotonic()
    busy_s = await p95_s(client, 40)
    await given_up(process, files_before)
    given_up_s = time.monotonic() - began
    for task in slow:  # a slow reader has yet to read what its own system holds
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)

    assert most_files - files_before > count / 2  # they were there together
    assert busy_s < 10  # not held up by the slow, however busy the machine is
    assert await nothing_is_held(client)
    print(
        f"{count} {kind}, {most_files - files_before} at once: given up within {given_up_s:.0f} s "
        f"of the last, p95 of the others {quiet_s * 1000:.0f} -> {busy_s * 1000:.0f} "
        f"ms, gateway {process.memory_info().rss >> 20} MiB"
    )


async def test_more_slow_readers_than_may_be_held_are_refused(gateway):
    """Of 640 MB no more is kept than may be held; others are told to wait, and later served."""
    port, process, client = gateway
    await p95_s(client, 10)
    files_before, most_bytes, statuses = process.num_fds(), 0, Counter[int]()

    slow = []
    for _ in range(80):
        slow.append(asyncio.create_task(until_given_up(port, *KINDS["readers"][2:])))
        await asyncio.sleep(0.15)
        async with client.post("/enhance_image", data=a_photo()) as reply:
            statuses[reply.status] += 1
        most_bytes = max(most_bytes, process.memory_info().rss)
    await given_up(process, files_before)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)

    assert statuses.keys() == {200, 429}
    # What is held is there twice: as the answer and as what the system has yet to take of it.
    assert most_bytes < 3 * HELD_BYTES
    assert await nothing_is_held(client)
    assert await p95_s(client, 10) < 10
    print(f"80 readers: {statuses} meanwhile, gateway {most_bytes >> 20} MiB at most")
