"""Who waits for changes of a session, and the one connection that hears of them."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

from darkroom.contracts.errors import JobsUnavailable
from gateway.jobs.database import Database
from gateway.jobs.sessions import CHANNEL

LOOK_AGAIN_S = 5.0  # a change whose notice was lost is seen then
RECONNECT_S = 1.0


class Changes:
    """Wakes those who follow a session when one of its jobs changes, in any process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self.closed = False

    @contextlib.contextmanager
    def followed(self, session: bytes) -> Iterator["Following"]:
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        changed, name = asyncio.Event(), session.hex()
        self._followers[name].add(changed)
        try:
            yield Following(self, changed)
        finally:
            self._followers[name].discard(changed)
            if not self._followers[name]:
                del self._followers[name]

    def end(self) -> None:
        """Wake everybody for the last time: the gateway closes."""
        self.closed = True
        for changed in set().union(*self._followers.values()):
            changed.set()

    async def close(self) -> None:
        self.end()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(JobsUnavailable):
                async with self._database.listener() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for notice in connection.notifies():
                        for changed in self._followers.get(notice.payload, ()):
                            changed.set()
            await asyncio.sleep(RECONNECT_S)  # followers look by themselves meanwhile


class Following:
    """One follower's side."""

    def __init__(self, changes: Changes, changed: asyncio.Event) -> None:
        self._changes = changes
        self._changed = changed

    async def wait(self) -> bool:
        """Return after a change, or after a while without one; false once the gateway closes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._changed.wait()
        self._changed.clear()
        return not self._changes.closed
