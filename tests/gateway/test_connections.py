"""`gateway/connections.py`: clients that send or read next to nothing, with little patience."""

import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from itertools import chain, cycle

import pytest
from aiohttp import web

from gateway.connections import Runner

PATIENCE_S = 0.2
ANSWER = bytes(24 << 20)  # more than the system keeps for a reader
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def port():
    """Of a server whose one answer is large."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=ANSWER)

    async def count(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application()
    app.router.add_get("/", answer)
    app.router.add_post("/", count)
    async with AsyncExitStack() as stack:
        runner = Runner(app, PATIENCE_S, {"shutdown_timeout": 0})
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]


async def connection(port):
    """A client with a small buffer, and its socket."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=client, limit=1 << 12)


async def trickle(writer, head):
    """Send a head byte by byte, and further headers after it; never the empty line at its end."""
    for byte in chain(head, cycle(b"X: 1\r\n")):
        writer.write(bytes([byte]))
        await asyncio.sleep(PATIENCE_S / 10)


async def until_closed(reader):
    """Read on until the server ends it; how many bytes came."""
    got = 0
    async with asyncio.timeout(30):
        with suppress(ConnectionError):  # or without a reset
            while chunk := await reader.read(1 << 20):
                got += len(chunk)
    return got


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["silent", "half a head"])
async def test_connection_without_a_request_is_closed(port, sent):
    """Whoever connects has to say what for."""
    reader, writer = await connection(port)
    writer.write(sent)

    assert await until_closed(reader) == 0
    writer.close()


async def test_head_that_trickles_is_given_up(port):
    """A byte now and then is no progress."""
    reader, writer = await connection(port)
    sending = asyncio.create_task(trickle(writer, GET[:-2]))

    assert await until_closed(reader) == 0
    sending.cancel()
    writer.close()


async def test_later_head_that_trickles_is_given_up(port):
    """Nor is it on a connection that was good for a request before."""
    reader, writer = await connection(port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    async with asyncio.timeout(10):
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n3")
    sending = asyncio.create_task(trickle(writer, GET[:-2]))

    assert await until_closed(reader) == 0
    sending.cancel()
    writer.close()


async def test_head_that_begins_behind_a_request_is_given_up(port):
    """Pipelined before the answer, it counts from the first byte after it."""
    reader, writer = await connection(port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HT")
    async with asyncio.timeout(10):
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n3")

    writer.write(b"T")

    assert await until_closed(reader) == 0
    writer.close()


async def test_body_may_take_its_time(port):
    """It is no head, on a connection kept alive either, whatever is in it."""
    reader, writer = await connection(port)
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 80\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(PATIENCE_S / 2)
            writer.write(b"\r\n\r\nabcdef")

        async with asyncio.timeout(10):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n80")
    writer.close()


async def test_answer_that_nobody_reads_is_given_up(port):
    """Its bytes do not lie in memory until the client thinks better of it."""
    reader, writer = await connection(port)
    writer.write(GET)
    await reader.readexactly(1000)

    await asyncio.sleep(10 * PATIENCE_S)

    assert await until_closed(reader) < len(ANSWER) - 1000
    writer.close()


async def test_slow_but_steady_reader_gets_everything(port):
    """Many times the patience, but never without progress."""
    reader, writer = await connection(port)
    writer.write(GET)

    began, got = asyncio.get_running_loop().time(), 0
    async with asyncio.timeout(30):
        while got < len(ANSWER):
            chunk = await reader.read(1 << 20)
            assert chunk, "cut off"
            got += len(chunk)
            await asyncio.sleep(PATIENCE_S / 400)
    assert asyncio.get_running_loop().time() - began > 3 * PATIENCE_S
    writer.close()


async def test_connection_between_requests_is_left_alone(port):
    """A client may keep its connection for the next photo."""
    reader, writer = await connection(port)
    for _ in range(2):
        writer.write(GET)
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(ANSWER))
        assert b" 200 " in head
        await asyncio.sleep(3 * PATIENCE_S)
    writer.close()
