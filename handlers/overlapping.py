"""Photos of one batch at several stages at the same time, as TorchServe's micro-batches are.

    threads   look 1 2 │ look 3 4 │ finish 1 2, look 5 6 │ finish 3 4, look 7 8 │ …
    caller             │ find 1 2 │ find 3 4             │ find 5 6             │ …

Decoding, views, maps and encoding are done for each photo in a pool of threads; what computes them
lets go of Python's lock. The network is asked by the calling thread, about as many photos at once
as there are threads. Where it works on a GPU, that has the next ones as soon as it is free.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS_VARIABLE = "DARKROOM_HANDLER_THREADS"
GROUPS_AHEAD = 2  # read while the network is busy with another: bounds the photos in memory

Item = TypeVar("Item")
Result = TypeVar("Result")


class Overlap:
    """A pool of threads, which are started when a batch first needs them.

    at_once: how many items `find` gets at a time.
    """

    def __init__(self, threads: int, at_once: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "photo")
        self._at_once = at_once

    def run(
        self,
        items: Sequence[Item],
        look: Callable[[Item], None],
        find: Callable[[Sequence[Item]], None],
        finish: Callable[[Item], Result],
    ) -> list[Result]:
        """What `finish` returns for each item, in order, once all have gone through the three.

        An item is touched by one thread at a time. What is raised is raised again.
        """
        starts = range(0, len(items), self._at_once)
        groups = [items[start : start + self._at_once] for start in starts]
        looking: deque[list[Future[None]]] = deque()
        finishing: list[Future[Result]] = []
        for number, group in enumerate(groups):
            while len(looking) < GROUPS_AHEAD and number + len(looking) < len(groups):
                ahead = groups[number + len(looking)]
                looking.append([self._pool.submit(look, item) for item in ahead])
            for looked in looking.popleft():
                looked.result()
            find(group)
            finishing += [self._pool.submit(finish, item) for item in group]
        return [finished.result() for finished in finishing]


def threads_of(environment: Mapping[str, str]) -> int:
    """How many threads a handler may use for the photos of a batch; 1, the caller's, by default.

    Raises:
        ValueError: the variable holds no number from 1.
    """
    told = environment.get(THREADS_VARIABLE) or "1"
    if not told.isdecimal() or int(told) < 1:
        raise ValueError(f"{THREADS_VARIABLE} is {told!r}, which is no number from 1")
    return int(told)
