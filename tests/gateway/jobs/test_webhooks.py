"""Webhooks: an order's end told once, signed, and tried again where nobody answers."""

import hashlib
import hmac
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from gateway.jobs.webhooks import signature
from tests.gateway.conftest import serve_on_a_free_port
from tests.gateway.photos import a_form, a_photo
from tests.gateway.replica import until

SECRET = "not so secret"


@dataclass
class Receiver:
    """A client's own service; its first `failures` answers are 500."""

    url: str = ""
    failures: int = 0
    told: list[tuple[str, bytes]] = field(default_factory=list)

    async def hook(self, request: web.Request) -> web.Response:
        self.told.append((request.headers["X-Darkroom-Signature"], await request.read()))
        return web.Response(status=500 if len(self.told) <= self.failures else 204)


@pytest.fixture
async def receiver():
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.hook)
    async with AsyncExitStack() as stack:
        receiver.url = f"{await serve_on_a_free_port(stack, app)}/hook"
        yield receiver


async def test_ended_order_is_told_with_a_signature(start_jobs, work, receiver):
    """Once both photos have ended: one call with the order, signed with the shared secret."""
    receiver.failures = 1
    jobs = await start_jobs(webhook_secret=SECRET, webhook_hosts="127.0.0.1")
    form = a_form(file=a_photo(), webhook=receiver.url)
    form.add_field("file", a_photo(seed=2), filename="2.jpg")
    _, order = await jobs.call("POST", data=form)
    work(jobs)

    await jobs.ended(order["id"])
    await until(lambda: len(receiver.told) == 2)  # the first was answered with 500

    signed, body = receiver.told[-1]
    moment, _, given = signed.removeprefix("t=").partition(",v1=")
    expected = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    assert given == expected.hexdigest()
    told = json.loads(body)
    assert (told["id"], told["completed"]) == (order["id"], 2)


async def test_webhook_to_a_private_address_is_refused(start_jobs):
    """Asked for at the upload it is refused there and then, and nothing is taken."""
    jobs = await start_jobs(webhook_secret=SECRET)

    for url in ("http://127.0.0.1:9/hook", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/"):
        status, problem = await jobs.call("POST", data=a_form(file=a_photo(), webhook=url))
        assert (status, problem["code"]) == (422, "forbidden_address"), url
    assert jobs.objects() == []


def test_signature_changes_with_everything_it_covers():
    """Another body, moment or secret: another signature."""
    told = {
        signature("secret", b"{}", 1),
        signature("secret", b"{ }", 1),
        signature("secret", b"{}", 2),
        signature("Secret", b"{}", 1),
    }
    assert len({text.partition("v1=")[2] for text in told}) == 4
