"""The edge to model servers, `gateway/model_server.py`.

The first part is the contract: any model server behind these URLs has to pass it. It runs against
the fake, and against real ones whose base URLs are in DARKROOM_TEST_DEFECTS_URL and
DARKROOM_TEST_TONE_URL. The second part is what the gateway makes of broken ones.
"""

import asyncio
import os
import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from darkroom.contracts import headers
from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.contracts.errors import (
    OutOfTime,
    OverCapacity,
    ReplicaUnavailable,
    UnreadablePhoto,
    UnsupportedPhoto,
)
from darkroom.contracts.report import StepRequest
from darkroom.imaging.header import Format, read_header
from gateway.budget import Budget
from gateway.calls import diagnosing, mending
from tests.gateway.photos import a_photo
from tests.gateway.replica import (
    a_diagnosis,
    a_model_reply,
    an_edge,
    answers,
    cuts_the_connection,
    hangs,
    in_hand,
    rubbish,
    stops_half_way,
    until,
)

TONE = StepRequest(enhancer=Enhancer.TONE, defects=dict.fromkeys(MENDS[Enhancer.TONE], 0.8))
MODEL = a_model_reply().model_dump_json()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(auto_decompress=False) as shared:
        yield shared


@pytest.fixture(params=["fake", "real"])
def server_of(request, replica, session):
    """`server_of("tone")`: the edge to that model server, fake or real."""

    def make(name):
        url = replica.url
        if request.param == "real":
            url = os.environ.get(f"DARKROOM_TEST_{name.upper()}_URL", "")
            if not url:
                pytest.skip("no real model server is given")
        return an_edge(name, url, session, 1 << 26)

    return make


async def test_contract_diagnosis_is_complete(server_of):
    """Every defect has its severity, and the reply says which model found them."""
    reply = await server_of("defects").ask(diagnosing(in_hand(a_photo())))

    assert set(reply.answer.severities) == set(Defect)
    assert reply.by.model == "defects"
    assert reply.by.version
    assert reply.by.stages.total_ms > 0


@pytest.mark.parametrize("photo_format", Format)
async def test_contract_photo_keeps_format_and_size(server_of, photo_format):
    """What goes in as 80×60 WebP comes back as 80×60 WebP."""
    photo = a_photo(photo_format.name, size=(80, 60))
    reply = await server_of("tone").ask(mending(in_hand(photo), TONE))

    header = read_header(reply.answer)
    assert (header.format, header.upright_size) == (photo_format, (80, 60))
    assert reply.by.model == "tone"


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (1, 300)])
async def test_contract_tiny_photos_are_answered(server_of, size):
    """A network's own working size is no limit for the photo."""
    photo = a_photo("PNG", size=size)
    reply = await server_of("tone").ask(mending(in_hand(photo), TONE))
    diagnosed = await server_of("defects").ask(diagnosing(in_hand(photo)))

    assert read_header(reply.answer).upright_size == size
    assert all(0 <= severity <= 1 for severity in diagnosed.answer.severities.values())


async def test_contract_broken_photo_is_the_photos_fault(server_of):
    """A problem document with the code, which the gateway passes on."""
    with pytest.raises(UnreadablePhoto):
        await server_of("defects").ask(diagnosing(in_hand(a_photo()[:20])))


async def test_contract_other_content_is_unsupported(server_of):
    """415, not a crash of the batch."""
    with pytest.raises(UnsupportedPhoto):
        await server_of("defects").ask(diagnosing(in_hand(b"not a picture")))


@pytest.fixture
def defects(replica, session):
    return an_edge("defects", replica.url, session, 10_000)


@pytest.fixture
def tone(replica, session):
    return an_edge("tone", replica.url, session, 100_000)


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(503, b'{"code": 503, "message": "Prediction failed"}'),
        answers(507, b'{"code": 507, "message": "out of memory"}'),
        answers(500),
        answers(413),
        answers(404, b'{"code": 404, "message": "Model not found: defects"}'),
        answers(302, Location="http://127.0.0.1:1/"),
        answers(204),
        answers(200, b"{}", **{headers.MODEL: MODEL}),
        answers(200, b"\xff\xd8\xff\x00", **{headers.MODEL: MODEL}),
        answers(200, a_diagnosis().model_dump_json().encode()),
        answers(200, a_diagnosis().model_dump_json().encode(), **{headers.MODEL: "lorem"}),
        answers(200, bytes(10_001), **{headers.MODEL: MODEL}),
        answers(422, b"lorem", **{"Content-Type": "application/problem+json"}),
        answers(
            422,
            b'{"title": "", "status": 422, "code": "malformed_request"}',
            **{"Content-Type": "application/problem+json"},
        ),
        cuts_the_connection,
    ],
)
async def test_anything_but_an_answer_is_a_failed_replica(replica, defects, behaviour):
    """TorchServe's ambiguous statuses, rubbish, replies too large: one error for all."""
    replica.behaviours["defects"] = behaviour

    with pytest.raises(ReplicaUnavailable, match="The model server `defects` failed"):
        await defects.ask(diagnosing(in_hand(a_photo())))


@pytest.mark.parametrize(
    "behaviour",
    [
        rubbish("tone"),
        answers(200, b"", **{headers.MODEL: MODEL}),
        answers(200, a_photo("PNG"), **{headers.MODEL: MODEL}),
    ],
    ids=["text", "nothing", "another format"],
)
async def test_reply_must_be_a_photo_of_the_same_format(replica, tone, behaviour):
    """A JPEG was sent."""
    replica.behaviours["tone"] = behaviour

    with pytest.raises(ReplicaUnavailable):
        await tone.ask(mending(in_hand(a_photo()), TONE))


async def test_nobody_listening_is_a_failed_replica(session):
    """Connection refused."""
    server = an_edge("tone", "http://127.0.0.1:1", session, 10)

    with pytest.raises(ReplicaUnavailable):
        await server.ask(diagnosing(in_hand(a_photo())))


async def test_name_with_several_addresses_is_tried_in_turn(replica):
    """Nobody listens at the first address; the photo goes to the second."""

    class TwoAddresses(AbstractResolver):
        async def resolve(self, host, port=0, family=socket.AF_INET):
            there = {"hostname": host, "port": port, "family": family, "proto": 0, "flags": 0}
            return [there | {"host": address} for address in ("127.0.0.2", "127.0.0.1")]

        async def close(self):
            """Nothing was opened."""

    connector = aiohttp.TCPConnector(resolver=TwoAddresses())
    async with aiohttp.ClientSession(connector=connector) as session:
        url = replica.url.replace("127.0.0.1", "replicas.test")
        server = an_edge("defects", url, session, 10_000)

        assert (await server.ask(diagnosing(in_hand(a_photo())))).by.model == "defects"


@pytest.mark.parametrize("behaviour", [hangs, stops_half_way])
async def test_slow_reply_ends_with_the_budget(replica, defects, behaviour):
    """Before its head or in the middle of its body; the model server sees the connection close."""
    replica.behaviours["defects"] = behaviour

    async with asyncio.timeout(30):
        with pytest.raises(OutOfTime):
            await defects.ask(diagnosing(in_hand(a_photo(), Budget.start(150))))
        await until(lambda: replica.cancelled == 1)


async def test_full_replica_is_over_capacity(replica, defects):
    """A problem document may say so; TorchServe's bare 503 cannot."""
    full = b'{"title": "", "status": 429, "code": "over_capacity"}'
    replica.behaviours["defects"] = answers(
        429, full, **{"Content-Type": "application/problem+json"}
    )

    with pytest.raises(OverCapacity):
        await defects.ask(diagnosing(in_hand(a_photo())))


async def test_connection_closed_while_idle_is_asked_again(replica, defects):
    """A kept-alive connection that the other end has just closed costs no photo."""
    cut = []

    async def cuts_once(request):
        replica.behaviours.clear()
        cut.append(True)
        return await cuts_the_connection(request)

    replica.behaviours["defects"] = cuts_once
    reply = await defects.ask(diagnosing(in_hand(a_photo())))

    assert cut == [True]
    assert reply.answer == replica.diagnosis


async def test_connection_reset_under_a_large_photo_is_asked_again(replica, session):
    """The first connection is reset while 8 MiB are on their way; the second reaches the fake."""
    connections = []

    async def resets_the_first(reader, writer):
        connections.append(writer)
        if len(connections) == 1:
            writer.transport.abort()
            return
        onward = await asyncio.open_connection("127.0.0.1", int(replica.url.rsplit(":")[-1]))
        there = asyncio.create_task(_pass_on(reader, onward[1]))
        await _pass_on(onward[0], writer)
        there.cancel()

    server = await asyncio.start_server(resets_the_first, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        edge = an_edge("defects", url, session, 10_000)
        reply = await edge.ask(diagnosing(in_hand(a_photo() + bytes(8 << 20))))
        await session.close()

    assert reply.by.model == "defects"
    assert len(connections) == 2


async def _pass_on(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_large_photo_arrives_as_it_is(replica, session):
    """3 MiB, byte by byte."""
    server = an_edge("defects", replica.url, session, 10_000)
    payload = a_photo() + bytes(range(256)) * (3 << 12)
    await server.ask(diagnosing(in_hand(payload)))

    assert replica.seen[0][2] == payload


async def test_every_hop_is_observed(replica, session):
    """By model server and outcome, for the metrics."""
    seen = []
    server = an_edge("defects", replica.url, session, 10_000, lambda *hop: seen.append(hop))
    await server.ask(diagnosing(in_hand(a_photo())))
    replica.behaviours["defects"] = answers(503)
    with pytest.raises(ReplicaUnavailable):
        await server.ask(diagnosing(in_hand(a_photo())))

    assert [(name, outcome) for name, outcome, _ in seen] == [
        ("defects", "ok"),
        ("defects", "replica_unavailable"),
    ]
    assert all(0 < seconds < 5 for _, _, seconds in seen)
