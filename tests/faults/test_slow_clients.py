"""Hundreds of clients that send or read a byte now and then, while others want photos mended."""

import asyncio
import socket
import time
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

SETTINGS = {"DARKROOM_CACHE_TTL_S": "0", "DARKROOM_BUDGET_MS": "30000"}
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
    "readers": (40, 0.15, WHOLE, b"", 1000),
}


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
    async with asyncio.timeout(GIVEN_UP_S):
        while process.num_fds() > files_before + 10:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.1)
    given_up_s = time.monotonic() - began
    for task in slow:  # a slow reader has yet to read what its own system holds
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)

    assert most_files - files_before > count / 2  # they were there together
    assert busy_s < 10  # not held up by the slow, however busy the machine is
    async with client.get("/metrics") as reply:
        lines = (await reply.text()).splitlines()
    assert {"darkroom_held_bytes 0.0", "darkroom_photos_in_flight 0.0"} <= set(lines)
    print(
        f"{count} {kind}, {most_files - files_before} at once: given up within {given_up_s:.0f} s "
        f"of the last, p95 of the others {quiet_s * 1000:.0f} -> {busy_s * 1000:.0f} "
        f"ms, gateway {process.memory_info().rss >> 20} MiB"
    )
