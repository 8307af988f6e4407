"""Loops over pixels: written in Python, run as machine code, without numba where that is made.

    @kernel("void(u1[:,:,::1], f4[::1])")     the types it is compiled for, in numba's notation
    @kernel_part()                            what kernels of the same module call

numba takes 35 MB and a second of each process that imports it, if only to load what it compiled
before. So it compiles in a process of its own (`kernel_compiler`), once for each module, source,
processor and version of numba; the code is kept in files, `machine_code`. Where there can be none
(on processors other than x86-64, or in a folder that cannot be written to) numba itself runs the
kernels.
"""

import fcntl
import hashlib
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from darkroom.imaging.machine_code import load

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = "DARKROOM_KERNELS"  # names the folder where code is kept; without it, beside the source
_ROOT = Path(__file__).parents[2]
_COMPILER = "darkroom.imaging.kernel_compiler"
# What machine code depends on besides the kernels: how it is made, and what it is made for.
_MAKERS = ("kernel_compiler", "kernels", "machine_code", "object_file")
_OF_A_PROCESSOR = ("vendor_id", "cpu family", "model", "flags")
_modules: set[str] = set()  # that have kernels, of those imported


class NoMachineCode(Exception):
    """A module's kernels cannot be compiled ahead here."""


class Kernel(Generic[P, R]):
    """A function that runs as machine code, and takes the types of its signature alone."""

    def __init__(self, function: Callable[P, R], signature: str, fastmath: bool) -> None:
        self.function, self.signature, self.fastmath = function, signature, fastmath
        self.__doc__ = function.__doc__
        _modules.add(function.__module__)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        return self._compiled(*arguments, **named)

    @cached_property
    def _compiled(self) -> Callable[P, R]:
        return _kernels_of(self.function.__module__)[self.function.__name__]


def kernel(signature: str, *, fastmath: bool = False) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    return lambda function: Kernel(function, signature, fastmath)


def kernel_part(
    *, fastmath: bool = False, inline: str = "never"
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function along with the kernels that call it; by itself it remains Python's."""

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        vars(function)["part_of_kernel"] = {"fastmath": fastmath, "inline": inline}
        return function

    return mark


def options_of_part(value: object) -> Mapping[str, Any] | None:
    """What `kernel_part` was called with, if it was."""
    return getattr(value, "part_of_kernel", None)


def load_kernels() -> None:
    """Make all kernels ready that have been imported; else each module's are at their first call.

    Raises:
        ImportError: there is neither machine code for them nor numba.
    """
    for module in sorted(_modules):
        _kernels_of(module)


@cache
def _kernels_of(module: str) -> Mapping[str, Callable[..., Any]]:
    try:
        return load(_machine_code(Path(str(sys.modules[module].__file__)), module))
    except (NoMachineCode, OSError) as error:
        log.warning("numba runs the kernels of %s: %s", module, error)
    # Not above: it imports numba.
    from darkroom.imaging.kernel_compiler import numba_kernels

    return numba_kernels(module)


def _machine_code(source: Path, module: str) -> Path:
    """The file with a module's machine code, which is compiled if there is none of this source.

    Raises:
        NoMachineCode: it cannot be.
        OSError: there is no folder in which it could be kept.
    """
    folder = Path(os.environ.get(FOLDER) or source.parent / "__pycache__")
    folder.mkdir(exist_ok=True)
    file = folder / f"{source.stem}-{_digest(source)}.kernels"
    if not file.is_file():
        # Model servers all start at once: one compiles, the others wait for it.
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.is_file():
                _compile(module, file)
    return file


def _compile(module: str, file: Path) -> None:
    made = file.with_suffix(f".{os.getpid()}")
    command = [sys.executable, "-m", _COMPILER, module, str(made.resolve())]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachineCode(done.stderr.strip()[-500:])
    made.replace(file)


def _digest(source: Path) -> str:
    """Of all that a module's machine code is made from, by and for."""
    digest = hashlib.sha256((_processor() + _compilers()).encode())
    for file in (source, *(Path(__file__).with_name(f"{maker}.py") for maker in _MAKERS)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _compilers() -> str:
    """The versions of numba and its LLVM: 7 ms, and neither is imported.

    Raises:
        NoMachineCode: they are not installed.
    """
    try:
        return " ".join(f"{name} {metadata.version(name)}" for name in ("numba", "llvmlite"))
    except metadata.PackageNotFoundError as error:
        raise NoMachineCode(str(error)) from error


def _processor() -> str:
    """Its model and its instructions, as Linux tells them.

    Raises:
        NoMachineCode: it is of another kind than `object_file` knows.
    """
    if platform.machine() != "x86_64":
        raise NoMachineCode(f"the processor is {platform.machine()}")
    first, _, _ = Path("/proc/cpuinfo").read_text().partition("\n\n")
    told = dict(line.split("\t", 1) for line in first.splitlines() if "\t" in line)
    return "".join(told.get(name, "") for name in _OF_A_PROCESSOR)
