"""Where finished answers are kept: a protocol, and the store of a gateway that is alone.

Keys are digests of everything an answer depends on, so an entry is never wrong, only unused; age
and size bound what is kept.
"""

import time
from collections import OrderedDict
from typing import Protocol

from gateway.budget import Clock
from gateway.redis_store import RedisStore


class Store(Protocol):
    """Bytes by key, for a while. Nothing here raises: without its store a gateway just works."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes) -> None: ...

    async def lead(self, key: str, ms: float) -> bool:
        """Whether nobody else is making this value: if so, the caller is, for so long at most."""
        ...

    async def stop_leading(self, key: str) -> None: ...

    async def is_led(self, key: str) -> bool: ...

    async def close(self) -> None: ...


def open_store(redis_url: str | None, max_bytes: int, ttl_s: float) -> Store | None:
    """The store that the settings ask for, None where nothing is to be kept."""
    if ttl_s <= 0:
        return None
    if redis_url is not None:
        return RedisStore(redis_url, ttl_s)
    return MemoryStore(max_bytes, ttl_s) if max_bytes else None


class MemoryStore:
    """The answers used last, up to a number of bytes, in this process."""

    LARGEST_SHARE = 8  # an entry takes an eighth at most, or a few large photos would be all

    def __init__(self, max_bytes: int, ttl_s: float, clock: Clock = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # (until, value)
        self._held_bytes = 0

    async def get(self, key: str) -> bytes | None:
        until, value = self._entries.get(key, (0.0, b""))
        if self._clock() >= until:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes) -> None:
        self._drop(key)
        if len(value) * self.LARGEST_SHARE > self._max_bytes:
            return
        self._entries[key] = (self._clock() + self._ttl_s, value)
        self._held_bytes += len(value)
        while self._held_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def lead(self, _key: str, _ms: float) -> bool:
        return True  # equal requests of one process meet in `Flights`

    async def stop_leading(self, key: str) -> None:
        """Nobody else would know."""

    async def is_led(self, _key: str) -> bool:
        return False

    async def close(self) -> None:
        self._entries.clear()
        self._held_bytes = 0

    def _drop(self, key: str) -> None:
        if key in self._entries:
            _, value = self._entries.pop(key)
            self._held_bytes -= len(value)
