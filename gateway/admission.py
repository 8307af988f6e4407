"""How much the gateway takes on at the same time; what is over it gets 429 at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from darkroom.contracts.errors import OverCapacity


class Admission:
    """Counts the photos being worked on and the bytes held for all requests.

    A photo counts once it has arrived, so that slow senders take no place; its bytes count as they
    arrive, so that many senders cannot fill the memory. Nor can slow readers: answers count, too.
    """

    def __init__(self, max_in_flight: int, max_held_bytes: int) -> None:
        self.max_in_flight = max_in_flight
        self.max_held_bytes = max_held_bytes
        self.in_flight = 0
        self.held_bytes = 0

    @contextmanager
    def photo(self) -> Iterator[None]:
        """A place among the photos being worked on."""
        self.expect_place()
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def expect_place(self) -> None:
        """Refuse early: reading a body that will be turned away helps nobody."""
        if self.in_flight >= self.max_in_flight:
            raise OverCapacity()

    @contextmanager
    def body(self) -> Iterator["HeldBytes"]:
        """The account of one request's bytes, given back when the request is over."""
        held = HeldBytes(self)
        try:
            yield held
        finally:
            self.held_bytes -= held.count

    @contextmanager
    def answer(self, count: int) -> Iterator[None]:
        """An answer of so many bytes on its way. It is made and goes out, even over the limit."""
        self.held_bytes += count
        try:
            yield
        finally:
            self.held_bytes -= count


class HeldBytes:
    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.count = 0

    def add(self, count: int) -> None:
        if self._admission.held_bytes + count > self._admission.max_held_bytes:
            raise OverCapacity()
        self._admission.held_bytes += count
        self.count += count

    def release(self, count: int) -> None:
        """Give some back early: they are held elsewhere now."""
        self._admission.held_bytes -= count
        self.count -= count
