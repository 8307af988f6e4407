"""Machine code made ahead: read from a file, brought into memory and called, without numba.

numba compiles a function to one of C, `int f(result *, exception **, …)`, which gives 0 or has
failed. A number is handed to it as it is; an array as two owners (none here: the caller keeps it),
number of items, bytes of one, address, shape and strides.

A file (`kernel_compiler` writes it) is a line of JSON, `Contents`, and the code with its constants.
What it cannot know are addresses, 8 bytes each: of its own parts, where the system has put it, and
of functions of C. They are filled in before the memory is made executable, and read-only.
"""

import ctypes
import json
import mmap
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Argument = NDArray[Any] | float

_ADDRESS = struct.Struct("<Q")
_C = ctypes.CDLL(None)  # C's functions, which the interpreter itself has loaded
_POINTER, _WHOLE = ctypes.c_void_p, ctypes.c_int64
_NOTHING = ctypes.c_char * 0  # can be found in an empty array, too


class KernelFailed(RuntimeError):
    """Machine code has given up: memory ran out, or something was divided by zero."""


class Parameter(NamedTuple):
    """A number, or an array of so many dimensions."""

    dtype: str  # as `numpy.dtype.str` has it
    dimensions: int = 0
    contiguous: bool = True
    written: bool = True

    def words(self) -> list[type[Any]]:
        """What the function in C takes for it."""
        if not self.dimensions:
            return [_number(self.dtype)]
        sides = [_WHOLE] * (2 * self.dimensions)
        return [_POINTER, _POINTER, _WHOLE, _WHOLE, _POINTER, *sides]

    def split(self, argument: Argument) -> tuple[float | None, ...]:
        """An argument in these words.

        Raises:
            TypeError: it is another array than the code was made for.
        """
        if not isinstance(argument, np.ndarray):
            return (argument,)
        is_plain = argument.flags.carray  # takes one look; the three that it stands for are dear
        if (
            argument.dtype != self.dtype
            or argument.ndim != self.dimensions
            or not (is_plain or self._takes(argument))
        ):
            raise TypeError(f"{argument.dtype}{argument.shape} is not {self}:\n{argument.flags}")
        # `ctypes.data` takes 2 µs longer, and several times that between a photo's other work.
        address = _address(argument.data) if is_plain else argument.ctypes.data
        array = (argument.size, argument.itemsize, address)
        return (None, None, *array, *argument.shape, *argument.strides)

    def _takes(self, argument: NDArray[Any]) -> bool:
        """Whether it lies as the code expects it."""
        flags = argument.flags
        return (
            flags.aligned
            and (flags.c_contiguous or not self.contiguous)
            and (flags.writeable or not self.written)
        )


class Entry(NamedTuple):
    """Where a function begins, and what it is called with."""

    offset: int
    parameters: list[Parameter]
    result: str | None  # a number of 8 bytes, or nothing


class Contents(NamedTuple):
    """What a file says of its code; places and targets are offsets in it."""

    entries: dict[str, Entry]
    inner: list[tuple[int, int]]  # place of an address, target
    outer: list[tuple[int, str]]  # place of an address, name of a function of C


class Function:
    """A function of code in memory; it takes exactly the types that it was compiled for."""

    def __init__(self, name: str, entry: Entry, code: mmap.mmap) -> None:
        self._name, self._parameters = name, entry.parameters
        self._code = code  # kept for as long as it may be called
        self._has_result, self._result = bool(entry.result), _number(entry.result or "<i8")
        words = [word for parameter in entry.parameters for word in parameter.words()]
        signature = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, *words)
        self._call = signature(_address(code) + entry.offset)

    def __call__(self, *arguments: Argument) -> float | None:
        """Call it, without Python's lock.

        Raises:
            TypeError: an argument is of another type.
            KernelFailed: it has given up.
        """
        result, exception = self._result(), _POINTER()
        words = [
            word
            for parameter, argument in zip(self._parameters, arguments, strict=True)
            for word in parameter.split(argument)
        ]
        status = self._call(ctypes.addressof(result), ctypes.addressof(exception), *words)
        if status:
            raise KernelFailed(f"{self._name} ended with status {status}")
        return result.value if self._has_result else None


def save(file: Path, contents: Contents, code: bytes) -> None:
    file.write_bytes(json.dumps(contents).encode() + b"\n" + code)


def load(file: Path) -> dict[str, Function]:
    """The functions of a file, ready to be called.

    Raises:
        OSError: the file cannot be read, a function of C is not there, or the system forbids code
            that it has not loaded itself.
    """
    head, _, code = file.read_bytes().partition(b"\n")
    entries, inner, outer = json.loads(head)
    memory = mmap.mmap(-1, len(code), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(code)
    base = _address(memory)
    for place, target in inner:
        _ADDRESS.pack_into(memory, place, base + target)
    for place, name in outer:
        _ADDRESS.pack_into(memory, place, _address_in_c(name))
    size = ctypes.c_size_t(len(code))
    if _C.mprotect(_POINTER(base), size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError("memory cannot be made executable")
    return {
        name: Function(
            name, Entry(offset, [Parameter(*each) for each in parameters], result), memory
        )
        for name, (offset, parameters, result) in entries.items()
    }


def _address(memory: mmap.mmap | memoryview) -> int:
    return ctypes.addressof(_NOTHING.from_buffer(memory))


def _address_in_c(name: str) -> int:
    try:
        return ctypes.cast(_C[name], _POINTER).value or 0
    except AttributeError:
        raise OSError(f"there is no function {name}") from None


def _number(dtype: str) -> type[Any]:
    kind: type[Any] = np.ctypeslib.as_ctypes_type(np.dtype(dtype))
    return kind
