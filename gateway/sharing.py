"""Photos put where model servers on this machine can read them, instead of being sent to them.

TorchServe copies a body several times, 4 KiB at a time, and each model server decodes it anew. In
shared memory the file lies once, and so do its pixels from the first who has decoded it. A replica
elsewhere does not see the folder: it gets the bytes as ever (`gateway/model_server.py`).
"""

import asyncio
import errno
import logging
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from darkroom.contracts.sharing import PIXELS, SPARE, Shared, new_request
from gateway.calls import Work
from gateway.own_folder import own_folder
from gateway.spare_files import SpareFiles

log = logging.getLogger(__name__)

LARGE_BYTES = 1 << 20  # over it copying takes long enough to be worth another thread
BYTES_PER_PIXEL = 3
SPARE_SHARE = 0.25  # of the room, for files to be used again

Result = TypeVar("Result")


class Sharing:
    """The gateway's part of the shared folder, and the account of what lies there."""

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        self._root = folder  # None: nothing is shared
        self._own: Path | None = None  # until it is opened, neither
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._spare = SpareFiles(0)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Share photos for as long as this lasts, if the folder can be used."""
        with ExitStack() as stack:
            if self._root is not None:
                try:
                    self._own = stack.enter_context(own_folder(self._root))
                    # Half of it: others may share that memory.
                    free_bytes = shutil.disk_usage(self._root).free
                    self._most_bytes = min(self._most_bytes, free_bytes // 2)
                    self._spare = SpareFiles(self._most_bytes * SPARE_SHARE)
                except OSError as error:
                    log.warning("photos are sent, not shared: %s", error)
            yield

    @asynccontextmanager
    async def shared(self, work: Work) -> AsyncIterator[Work]:
        """The same work with its photo in shared memory, as far as there is room."""
        size = len(work.photo.payload)
        pixels_size = BYTES_PER_PIXEL * work.photo.header.pixels
        room = self._most_bytes - self._held_bytes - self._spare.held_bytes
        if self._root is None or self._own is None or room < size:
            yield work
            return
        name = new_request(self._own.name, pixels=size + pixels_size <= room)
        file = name.file(self._root)
        held = size + pixels_size * name.pixels
        self._held_bytes += held
        try:
            yield await self._put(work, name, file, pixels_size)
        finally:
            # In the event loop's next turn: the answer, which is finished, leaves before it.
            asyncio.get_running_loop().call_soon(self._remove, name, held, pixels_size)

    async def read(self, shared: Shared, most_bytes: int) -> bytes:
        """What a model server has left. Raises `OSError` where it has not, or left more."""
        assert self._root is not None
        file = shared.file(self._root)
        size = file.stat().st_size
        if size > most_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return await _off_the_loop(size, file.read_bytes)

    def _remove(self, name: Shared, held: int, pixels_size: int) -> None:
        """Take a request's files away; whoever still reads there is not listened to any more."""
        assert self._root is not None
        assert self._own is not None
        self._held_bytes -= held
        for kind in (PIXELS, SPARE):
            kept = self._own / secrets.token_hex(8)
            self._spare.keep(pixels_size, name.file(self._root, kind), kept)
        shutil.rmtree(name.file(self._root).parent, ignore_errors=True)

    async def _put(self, work: Work, name: Shared, file: Path, pixels_size: int) -> Work:
        payload = work.photo.payload
        try:
            file.parent.mkdir(mode=0o700)
            await _off_the_loop(len(payload), file.write_bytes, payload)
        except OSError as error:
            log.warning("a photo is sent, not shared: %s", error)
            return work
        if name.pixels:
            assert self._root is not None
            self._spare.give(pixels_size, name.file(self._root, SPARE))
        return replace(work, photo=replace(work.photo, shared=name))


async def _off_the_loop(size: int, do: Callable[..., Result], *given: object) -> Result:
    return await asyncio.to_thread(do, *given) if size > LARGE_BYTES else do(*given)
