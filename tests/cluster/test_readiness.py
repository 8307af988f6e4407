"""Tests of `darkroom.cluster.readiness`."""

import socket

from aiohttp import web

from darkroom.cluster.readiness import draw_dark_room, ready_servers
from darkroom.imaging.codec import decode


def test_first_photo_is_dark():
    """The photo that proves the cluster is oblong, dark and not flat."""
    pixels = decode(draw_dark_room(), max_pixels=1_000_000).pixels

    assert pixels.shape == (160, 240, 3)
    assert 10 < pixels.mean() < 70
    assert pixels.std() > 5


def test_first_photo_is_always_the_same():
    """It is drawn with a seed: every start sends the same bytes."""
    assert draw_dark_room() == draw_dark_room()


async def test_servers_that_answer_are_ready(aiohttp_server):
    """The gateway's word decides, whatever status it comes with."""

    async def readyz(_: web.Request) -> web.Response:
        servers = {"defects": "ok", "tone": "replica_unavailable"}
        return web.json_response({"ready": False, "servers": servers}, status=503)

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    server = await aiohttp_server(app)

    assert await ready_servers(str(server.make_url("/")).rstrip("/")) == {"gateway", "defects"}


async def test_nobody_is_ready_without_a_gateway():
    """Before the gateway listens, nothing is ready, and asking is no error."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))

        assert await ready_servers(f"http://127.0.0.1:{reserved.getsockname()[1]}") == set()
