"""Addresses that a client names: which may be called, and that names cannot cheat."""

import asyncio
import socket
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from darkroom.contracts.errors import ForbiddenAddress
from gateway.jobs.outside import GuardedResolver, check_address, is_public, post_outside
from tests.gateway.conftest import serve_on_a_free_port

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "::7f00:1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address):
    """Nor are addresses of IPv6 that carry a private one of IPv4."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address):
    """The internet can be reached."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]:9000/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost:9000/",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "http://user:secret@93.184.216.34/",
        "http://93.184.216.34:99999/",
        "http://exa mple.com/",
        "http://no-such-host.invalid/",
        "//93.184.216.34/",
        "gopher://93.184.216.34",
        "http://93.184.216.34/" + "x" * 3000,
        "http://",
        "http://[::1",
    ],
)
async def test_forbidden_addresses_are_refused(url):
    """Whatever is not plainly a public address over http or https."""
    with pytest.raises(ForbiddenAddress):
        await check_address(url, GuardedResolver())


async def test_name_that_changes_its_address_reaches_nobody(monkeypatch):
    """DNS rebinding: public when checked, ours when called: the connection is not made."""
    called = False

    async def hook(_: web.Request) -> web.Response:
        nonlocal called
        called = True
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hook)
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])

    async def rebind(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))]

    async with AsyncExitStack() as stack:
        url = await serve_on_a_free_port(stack, app)
        port = url.rpartition(":")[2]
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebind)
        with pytest.raises((ForbiddenAddress, aiohttp.ClientError)):
            await post_outside(f"http://rebind.test:{port}/", b"{}", {}, GuardedResolver())

    assert not called


async def test_redirects_are_not_followed():
    """A receiver that points elsewhere is answered for by its 3xx alone."""
    seen = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/private"})

    app = web.Application()
    app.router.add_post("/{path:.*}", redirect)
    async with AsyncExitStack() as stack:
        url = await serve_on_a_free_port(stack, app)
        status = await post_outside(f"{url}/hook", b"{}", {}, GuardedResolver({"127.0.0.1"}))

    assert (status, seen) == (307, ["/hook"])
