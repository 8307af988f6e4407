"""`gateway/replies.py`: what leaves the gateway."""

import asyncio
import socket

import pytest

from darkroom.contracts import headers
from tests.gateway.photos import a_photo
from tests.gateway.replica import a_model_reply, answers

LARGE = a_photo() + bytes(24 << 20)  # more than the system keeps for a reader
HANG_S = 60.0


@pytest.fixture
async def client(gateway, replica):
    """Of a gateway that may hold 1 MiB, whose one enhancer answers far more."""
    told = {headers.MODEL: a_model_reply().model_dump_json()}
    replica.behaviours["tone"] = answers(200, LARGE, **told)
    return await gateway(max_held_bytes=1 << 20, budget_ms=30_000)


async def test_answer_counts_until_its_reader_has_taken_it(client):
    """Slow readers cannot fill the memory: meanwhile others' photos are refused."""
    async with asyncio.timeout(HANG_S):
        reader, writer = await slow_reader(client)

        assert await held_bytes(client) == len(LARGE)
        async with client.post("/diagnose", data=a_photo()) as reply:
            assert (reply.status, (await reply.json())["code"]) == (429, "over_capacity")

        await reader.readexactly(len(LARGE))
        await until_nothing_is_held(client)
        async with client.post("/diagnose", data=a_photo()) as reply:
            assert reply.status == 200
    writer.close()


async def test_answer_that_is_never_taken_is_forgotten(client):
    """The client leaves in the middle: nothing stays counted."""
    async with asyncio.timeout(HANG_S):
        _, writer = await slow_reader(client)
        assert await held_bytes(client) == len(LARGE)

        writer.transport.abort()

        await until_nothing_is_held(client)


async def slow_reader(client):
    """A connection on which the head of a large answer was read, and no more of it."""
    base = client._base_url  # the session's own; there is no public name for it
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (base.host, base.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 12)
    photo = a_photo()
    writer.write(b"POST /fix_defect?defect_to_fix=hazy HTTP/1.1\r\nHost: x\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(photo) + photo)
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def held_bytes(client):
    async with client.get("/metrics") as reply:
        lines = (await reply.text()).splitlines()
    (line,) = [line for line in lines if line.startswith("darkroom_held_bytes ")]
    return float(line.split()[1])


async def until_nothing_is_held(client):
    while await held_bytes(client):  # noqa: ASYNC110 - there is no event over HTTP
        await asyncio.sleep(0.01)
