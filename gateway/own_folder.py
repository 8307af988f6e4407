"""A gateway's own part of a folder that several may use, and what is left of dead ones' parts."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED_AFTER_S = 60.0  # a part without an owner; until then one may be about to lock it


@contextmanager
def own_folder(root: Path) -> Iterator[Path]:
    """A new folder in `root`, named by 16 hexadecimal digits, for as long as this lasts.

    Those whose owners have died are removed.

    Raises:
        OSError: there can be none.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(root)
    folder = root / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_abandoned(root: Path) -> None:
    for folder in root.iterdir():
        if time.time() - folder.stat().st_mtime > ABANDONED_AFTER_S:
            lock = _locked(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """The descriptor that holds a lock on the folder; None where somebody else has one.

    The system takes the lock back when its owner dies, however that happens.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
