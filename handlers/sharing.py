"""The photo of a request in memory that the gateway shares: read there, and left there.

What the gateway has removed meanwhile is nobody's any more: then nothing is left, and the answer
goes the ordinary way.
"""

import mmap
import os
import secrets
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.sharing import FOLDER_VARIABLE, PIXELS, SPARE, Shared


class SharedPhoto:
    """A photo that a request names, in the shared folder of this machine."""

    def __init__(self, shared: Shared, folder: Path, payload: bytes) -> None:
        self.shared = shared
        self.payload = payload
        self._folder = folder

    def found(self, kind: str) -> NDArray[np.uint8] | None:
        """The samples left beside it, in a row, if there are any; written to, they are a copy."""
        try:
            with self.shared.file(self._folder, kind).open("rb") as file:
                return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), np.uint8)
        except OSError:
            return None

    def leave(self, kind: str, samples: NDArray[np.uint8]) -> None:
        """Spare others making them, where that is wanted."""
        if self.shared.pixels:
            spare = self.shared.file(self._folder, SPARE) if kind == PIXELS else None
            _write(self.shared.file(self._folder, kind), np.ascontiguousarray(samples).data, spare)

    def leave_answer(self, payload: bytes, pixels: NDArray[np.uint8] | None) -> Shared | None:
        """Put the answer beside it, with its `pixels` where wanted; None where that fails."""
        answer = self.shared.another()
        if not _write(answer.file(self._folder), payload):
            return None
        if pixels is not None and self.shared.pixels:
            self.shared.file(self._folder, PIXELS).unlink(missing_ok=True)  # nobody needs them now
            _write(answer.file(self._folder, PIXELS), np.ascontiguousarray(pixels).data)
        return answer


def find_shared(header: str | None) -> SharedPhoto | None:
    """The photo that a request's header names; None where it cannot be seen from here.

    Raises:
        ValidationError: the header is none.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if header is None or not folder:
        return None
    shared = Shared.model_validate_json(header)
    try:
        return SharedPhoto(shared, Path(folder), shared.file(Path(folder)).read_bytes())
    except OSError:
        return None


def _write(file: Path, content: bytes | memoryview, spare: Path | None = None) -> bool:
    """Put a whole file there or none, into a `spare` one if there is; whether it was possible."""
    part = file.with_name(f"{secrets.token_hex(4)}.part")
    try:
        is_whole = _fill(part, content, spare)
        if is_whole:
            part.rename(file)
            return True
    except OSError:  # the folder is full or gone
        pass
    part.unlink(missing_ok=True)
    return False


def _fill(part: Path, content: bytes | memoryview, spare: Path | None) -> bool:
    size = memoryview(content).nbytes
    mode = "xb"
    if spare is not None:
        with suppress(FileNotFoundError):
            spare.rename(part)  # from here on nobody else has it
            mode = "r+b"
    with part.open(mode, buffering=0) as opened:
        return opened.write(content) == size == opened.seek(0, os.SEEK_END)
