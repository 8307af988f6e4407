"""The store that gateways share: Redis, as long as it is quick.

No photo waits for it: a call has a short time, and after a failure it is left alone for a while.
Redis bounds the bytes itself (`maxmemory` with `allkeys-lru`).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.budget import Clock

log = logging.getLogger(__name__)

TIMEOUT_S = 0.05  # a photo of 3 MB takes 5 ms from the next machine
PATIENCE_S = 1.0  # with a connection, before it is given up
REST_S = 5.0  # after a failure
LARGEST_BYTES = 16 << 20
PREFIX = "darkroom:"


class RedisStore:
    """`Store` on a Redis server, which may come and go."""

    def __init__(self, url: str, ttl_s: float, clock: Clock = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._ttl_ms = int(ttl_s * 1000)
        self._clock = clock
        self._rests_until = 0.0

    async def get(self, key: str) -> bytes | None:
        kept = await self._ask(lambda: self._redis.get(PREFIX + key), None)
        return kept if isinstance(kept, bytes) else None

    async def put(self, key: str, value: bytes) -> None:
        if len(value) <= LARGEST_BYTES:
            await self._ask(lambda: self._redis.set(PREFIX + key, value, px=self._ttl_ms), None)

    async def lead(self, key: str, ms: float) -> bool:
        name, lasts = f"{PREFIX}{key}:led", max(1, int(ms))
        # "" where it cannot be asked, None where somebody else leads.
        set_ = await self._ask(lambda: self._redis.set(name, b"1", nx=True, px=lasts), "")
        return set_ is not None

    async def stop_leading(self, key: str) -> None:
        await self._ask(lambda: self._redis.delete(f"{PREFIX}{key}:led"), 0)

    async def is_led(self, key: str) -> bool:
        return bool(await self._ask(lambda: self._redis.exists(f"{PREFIX}{key}:led"), 0))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask(self, call: Callable[[], Awaitable[object]], otherwise: object) -> object:
        now = self._clock()
        if now < self._rests_until:
            return otherwise
        if self._rests_until:
            self._rests_until = now + REST_S  # one call tries, the others go on without
        # In a task of its own: the library does not always let go when it is cancelled.
        task = asyncio.ensure_future(_outcome(call))
        try:
            await asyncio.wait((task,), timeout=TIMEOUT_S)
        finally:
            in_time = task.done()
            task.cancel()
        answer = task.result() if in_time else TimeoutError()
        if isinstance(answer, Exception):
            log.warning("Redis is left alone for %.0f s: %r", REST_S, answer)
            self._rests_until = self._clock() + REST_S
            return otherwise
        self._rests_until = 0.0
        return answer


async def _outcome(call: Callable[[], Awaitable[object]]) -> object:
    try:
        return await call()
    except (RedisError, OSError, TimeoutError) as error:
        return error
