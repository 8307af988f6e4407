"""Cores that a hypervisor gives to other machines meanwhile: then measurements tell of those.

A rented machine shares its processor. What was stolen from it is in no process's time, but whoever
is measured just then looks slow. So measurements are repeated until little was stolen: the choice
looks at the machine alone, never at what came out.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psutil

Outcome = TypeVar("Outcome")

LITTLE = 0.06  # cores
TRIES = 6


def stolen_s() -> float:
    """CPU seconds taken from this machine so far; always 0 where nobody can."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


async def undisturbed(
    work: Callable[[], Awaitable[Outcome]], tries: int = TRIES
) -> tuple[Outcome, float]:
    """Do `work` until little is stolen meanwhile, but no more than `tries` times.

    Returns what came of the time from which least was stolen, and how many cores were.
    """
    best: tuple[Outcome, float] | None = None
    for _ in range(tries):
        began, before = time.perf_counter(), stolen_s()
        outcome = await work()
        cores = (stolen_s() - before) / (time.perf_counter() - began)
        if best is None or cores < best[1]:
            best = outcome, cores
        if cores <= LITTLE:
            break
    assert best is not None, "tries is at least 1"
    return best
