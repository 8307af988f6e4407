"""Load for tests: clients that send dark photos all the time, no two of them equal."""

import itertools
import struct
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from darkroom.blocking import Darkroom
from darkroom.client import Unreachable
from darkroom.cluster.readiness import draw_dark_room
from darkroom.contracts.errors import ServiceError

_PHOTO = draw_dark_room()
_END = len(_PHOTO) - 12  # where the last chunk begins, which says that the PNG is over
_numbers = itertools.count()


def dark_photo() -> bytes:
    """The dark room with a comment that no other has: no cache knows it."""
    data = b"Comment\0" + str(next(_numbers)).encode()
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data
    return _PHOTO[:_END] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + _PHOTO[_END:]


class Senders:
    """Clients in threads, for as long as the `with` lasts; what became of their photos.

    With `may_send` a client asks before each photo, as one behind a load balancer would.
    """

    def __init__(
        self,
        url: str,
        clients: int = 2,
        budget_ms: int = 20_000,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._url, self._clients, self._budget_ms = url, clients, budget_ms
        self._may_send = may_send
        self._stop = threading.Event()
        self.mended = 0
        self.slowest_s = 0.0
        self.failed: list[str] = []

    def __enter__(self) -> "Senders":
        self._pool = ThreadPoolExecutor(self._clients)
        self._futures = [self._pool.submit(self._send) for _ in range(self._clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        for future in self._futures:
            future.result()

    def _send(self) -> None:
        with Darkroom(self._url) as darkroom:
            while not self._stop.is_set():
                if not self._may_send():
                    self._stop.wait(0.05)
                    continue
                started = time.monotonic()
                try:
                    enhanced = darkroom.enhance(dark_photo(), budget_ms=self._budget_ms)
                    self.mended += enhanced.photo is not None
                except (ServiceError, Unreachable) as error:
                    self.failed.append(repr(error))
                self.slowest_s = max(self.slowest_s, time.monotonic() - started)
