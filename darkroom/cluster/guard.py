"""Ends what `darkroom up` leaves behind when it is killed outright.

`darkroom up` starts this module as a process of its own and holds the other end of its standard
input. There it names each process group that it starts (`+1234`) and that has ended (`-1234`).
When the pipe closes, `darkroom up` is gone, however it went: what is still named is ended and the
cluster's temporary folders removed. A pipe is used because it needs nothing of the operating system
beyond POSIX, and because a group also holds the workers that a model server has started.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

import psutil

PATIENCE_S = 12.0  # from SIGTERM to SIGKILL: the gateway finishes the photos in hand


def members(group: int) -> list[psutil.Process]:
    """The running processes of a group.

    One that has ended counts no more, collected or not: in a container nobody may ever collect a
    worker that has lost its server.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):  # ended just now
            running = process.status() != psutil.STATUS_ZOMBIE
            if running and os.getpgid(process.pid) == group:
                found.append(process)
    return found


def signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(group, number)


def end_group(group: int, patience_s: float = PATIENCE_S) -> None:
    """End every process of a group, gently first, and return when none is left."""
    for number, patience in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 2.0)):
        signal_group(group, number)
        deadline = time.monotonic() + patience
        while members(group) and time.monotonic() < deadline:
            time.sleep(0.05)


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        groups.add(group) if sign == "+" else groups.discard(group)
    for group in groups:  # all at once first, so that they end side by side
        signal_group(group, signal.SIGTERM)
    for group in groups:
        end_group(group)
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
