"""The stores of results, `gateway/cache.py` and `gateway/redis_store.py`."""

import asyncio
import shutil
import socket
import subprocess
import time
from contextlib import closing

import pytest

from gateway import redis_store
from gateway.cache import MemoryStore, open_store
from gateway.redis_store import LARGEST_BYTES, REST_S, RedisStore
from tests.gateway.replica import until


async def test_what_is_put_is_there(clock):
    """And nothing else."""
    store = MemoryStore(1000, 60, clock)
    await store.put("a", b"1")

    assert (await store.get("a"), await store.get("b")) == (b"1", None)


async def test_old_entries_are_gone(clock):
    """After their time, used or not."""
    store = MemoryStore(1000, 60, clock)
    await store.put("a", b"1")
    clock.now += 60

    assert await store.get("a") is None


async def test_bytes_are_bounded_and_the_unused_go_first(clock):
    """Ten entries of a tenth fit; the eleventh takes the place of the one not used for longest."""
    store = MemoryStore(1000, 60, clock)
    for key in range(10):
        await store.put(str(key), bytes(100))
    await store.get("0")
    await store.put("new", bytes(100))

    assert [key for key in range(10) if await store.get(str(key)) is None] == [1]


async def test_one_entry_is_not_everything(clock):
    """A photo that would drive all others out is not kept."""
    store = MemoryStore(1000, 60, clock)
    await store.put("small", bytes(10))
    await store.put("large", bytes(126))

    assert await store.get("large") is None
    assert await store.get("small") is not None


@pytest.mark.parametrize(("max_bytes", "ttl_s"), [(0, 60), (1000, 0)])
def test_nothing_may_be_kept_at_all(max_bytes, ttl_s):
    """A setting of 0 turns it off."""
    assert open_store(None, max_bytes, ttl_s) is None


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """A real Redis on a free port, where this machine has one."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture
async def two_gateways(redis_url, monkeypatch):
    monkeypatch.setattr(redis_store, "TIMEOUT_S", 30.0)  # none of this is about a slow Redis
    stores = [RedisStore(redis_url, ttl_s=60) for _ in range(2)]
    yield stores
    for store in stores:
        await store._redis.flushdb()
        await store.close()


async def test_gateways_share_what_is_in_redis(two_gateways):
    """What one puts the other gets, for as long as results are kept."""
    one, other = two_gateways
    await one.put("key", b"\xff\xd8")

    assert await other.get("key") == b"\xff\xd8"
    assert 0 < await one._redis.pttl(redis_store.PREFIX + "key") <= 60_000


async def test_one_gateway_leads(two_gateways):
    """Until it stops, or its time is over."""
    one, other = two_gateways
    assert await one.lead("key", 5000)
    assert not await other.lead("key", 5000)
    assert await other.is_led("key")

    await one.stop_leading("key")
    assert not await other.is_led("key")
    assert await other.lead("key", 50)
    await asyncio.sleep(0.1)
    assert await one.lead("key", 50)


async def test_huge_results_are_not_sent_to_redis(two_gateways):
    """They would keep everybody else waiting."""
    one, other = two_gateways
    await one.put("key", bytes(LARGEST_BYTES + 1))

    assert await other.get("key") is None


@pytest.fixture
async def silent_server():
    """Takes connections and says nothing: a Redis that hangs. Yields its URL and who came."""
    came = []

    async def say_nothing(_, writer):
        came.append(writer)

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", came
        for writer in came:
            writer.transport.abort()


async def test_hanging_redis_is_left_alone(silent_server, clock):
    """A hundred calls wait for one short time in all; after a rest one of them tries again."""
    url, came = silent_server
    store = RedisStore(url, 60, clock)
    async with asyncio.timeout(3):
        assert [await store.get("key") for _ in range(100)] == [None] * 100
        await until(lambda: len(came) == 1)

        clock.now += REST_S
        await asyncio.gather(*(store.get("key") for _ in range(100)))
    await until(lambda: len(came) == 2)
    await store.close()


async def test_absent_redis_lets_everybody_work(clock):
    """Each gateway leads for itself, and nothing is kept."""
    store = RedisStore("redis://127.0.0.1:1/0", 60, clock)
    await store.put("key", b"1")

    assert await store.get("key") is None
    assert await store.lead("key", 1000)
    assert not await store.is_led("key")
    await store.close()
