"""A gateway's own part of a folder that several may use, and what is left of dead ones' parts."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def own_folder(root: Path) -> Iterator[Path]:
    """A new folder in `root`, named by 16 hexadecimal digits, for as long as this lasts.

    Those whose owners have died are removed.

    Raises:
        OSError: there can be none.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(root)
    name = secrets.token_hex(8)
    unlocked = root / f".{name}"  # which nobody takes for abandoned
    unlocked.mkdir(mode=0o700)
    lock = _locked(unlocked)
    folder = unlocked.rename(root / name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("[!.]*"):
        with suppress(FileNotFoundError):  # somebody else has just removed it
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
