"""Machine code against numba, and how it comes about."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import darkroom.imaging
from darkroom.imaging.kernel_compiler import numba_kernels
from darkroom.imaging.kernels import FOLDER, Kernel

PROJECT = Path(__file__).parents[2]
Arguments = tuple[Any, ...]


def levels(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(0, 256, shape, np.uint8)


def values(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def colouring(rng: np.random.Generator) -> Arguments:
    cells = values(rng, 5, 7, 3)
    cells[..., 0] = 128 + 40 * cells[..., 0]
    pixels = levels(rng, 37, 53, 3)
    return pixels, levels(rng, 37, 53), cells, np.float32(0.7), np.empty_like(pixels)


def counting(rng: np.random.Generator) -> Arguments:
    logarithm = np.log(np.arange(511, dtype=np.float32) + 4)
    return levels(rng, 32, 44, 3), logarithm, (np.arange(256) // 64).astype(np.int32)


def counting_tints(rng: np.random.Generator) -> Arguments:
    sums = np.zeros((2, 4))
    return *counting(rng), np.zeros(4, np.int64), np.zeros((12, 12), np.int64), sums


def gradients(rng: np.random.Generator) -> Arguments:
    """Across and down, of upright edges and a little noise."""
    across = np.zeros((60, 40), np.float32)
    across[:, 5:40:8] = 30
    return across + values(rng, 60, 40), values(rng, 60, 40)


def transforming(rng: np.random.Generator) -> Arguments:
    curves = np.sort(rng.uniform(0, 255, (3, 256)), axis=1).astype(np.float32)
    grid = np.eye(3, 4, dtype=np.float32) + values(rng, 5, 6, 3, 4) / 9
    return levels(rng, 31, 135), curves, grid, np.zeros((31, 135), np.uint8)


def averaging(rng: np.random.Generator) -> Arguments:
    rows, columns = (np.arange(side, dtype=np.int64) for side in (20, 40))
    shares = (rng.random((20, 2), np.float32) / 2, rng.random((40, 3), np.float32) / 3)
    shrunk = np.zeros((20, 120), np.uint8)
    return levels(rng, 31, 135), rows, shares[0], columns, shares[1], shrunk


def enlarging(rng: np.random.Generator) -> Arguments:
    full, left = levels(rng, 31, 45, 3), np.linspace(0, 9, 45).astype(np.int32)
    lines, share = (values(rng, 8, 11, 3), values(rng, 8, 11, 3)), rng.random(45, np.float32)
    return full, *lines, left, share, np.empty_like(full)


def blending(rng: np.random.Generator) -> Arguments:
    rows, columns = rng.random((2, 16), np.float32)
    return 30 * values(rng, 16, 16, 3), rows, columns, np.zeros((20, 24, 3), np.int16)[2:18, 3:19]


def surveying(rng: np.random.Generator) -> Arguments:
    pixels = levels(rng, 100, 90, 3)[::-1]
    pixels.flags.writeable = False
    corners = np.array([[0, 3], [30, 20]])
    return pixels, corners, np.zeros(2, np.int64), np.zeros((2, 256), np.float32)


def correcting(rng: np.random.Generator) -> Arguments:
    pixels, steps = levels(rng, 16, 21, 3), rng.integers(-9000, 9000, (16, 40, 3), np.int16)
    return pixels, steps[:, 7:28], np.float32(1 / 64), np.empty_like(pixels)


ARGUMENTS: dict[str, Callable[[np.random.Generator], Arguments]] = {
    "chroma._apply": colouring,
    "counting.count_tints": counting_tints,
    "counting.count_chroma": lambda rng: (*counting(rng), np.zeros((5, 40, 40), np.int64)),
    "counting.keep_strong": lambda rng: (
        *values(rng, 3, 8, 11),
        0.5,
        np.zeros((3, 88), np.float32),
    ),
    "counting.count_directions": lambda rng: (
        *rng.uniform(0, 360, (2, 500)).astype(np.float32),
        np.zeros((2, 40)),
    ),
    "following.follow": lambda rng: (*gradients(rng), 9.0, 12.0, np.zeros((64, 5), np.float32)),
    "neighbours.sum_differences": lambda rng: (
        levels(rng, 3, 64, 64, 3),
        np.zeros((3, 32), np.int64),
    ),
    "neighbours.survey": surveying,
    "resizing._average": averaging,
    "tiles._add": correcting,
    "tiles._blend": blending,
    "tone_map._apply": transforming,
    "upsampling._apply": enlarging,
}


def all_kernels() -> dict[str, Kernel[Any, Any]]:
    """By the last part of their module's name and their own."""
    found = {}
    for module in pkgutil.iter_modules(darkroom.imaging.__path__):
        for value in vars(importlib.import_module(f"darkroom.imaging.{module.name}")).values():
            if isinstance(value, Kernel):
                home = value.function.__module__.rpartition(".")[2]
                found[f"{home}.{value.function.__name__}"] = value
    return found


compiled_by_numba = cache(numba_kernels)


@pytest.mark.parametrize("name", sorted(all_kernels()))
def test_machine_code_gives_what_numba_gives(name):
    """To the last bit, for every kernel there is."""
    kernel = all_kernels()[name]
    module, _, function = name.partition(".")
    numbas = compiled_by_numba(f"darkroom.imaging.{module}")[function]
    own, other = (ARGUMENTS[name](np.random.default_rng(0)) for _ in range(2))

    assert kernel(*own) == numbas(*other)

    own, other, before = (
        [each for each in arguments if isinstance(each, np.ndarray)]
        for arguments in (own, other, ARGUMENTS[name](np.random.default_rng(0)))
    )
    assert [a.tobytes() for a in own] == [b.tobytes() for b in other]
    assert own[-1].tobytes() != before[-1].tobytes()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda rows: rows.astype(np.int8), id="another type"),
        pytest.param(lambda rows: rows[None], id="more dimensions"),
        pytest.param(lambda rows: rows.repeat(2, axis=1)[:, ::2], id="gaps"),
        pytest.param(lambda rows: np.broadcast_to(rows, rows.shape), id="read-only"),
    ],
)
def test_other_arrays_are_refused(spoil):
    """Machine code would read and write where it must not."""
    *arguments, rows = transforming(np.random.default_rng(0))

    with pytest.raises(TypeError, match="is not"):
        all_kernels()["tone_map._apply"](*arguments, spoil(rows))


MODULE = """
from darkroom.imaging.kernels import kernel

@kernel("void(i8[::1], i8)")
def shrink(numbers, by):
    for at in range(numbers.size):
        numbers[at] //= by
"""
PROGRAM = """
import sys
import numpy as np
import shrinking
numbers = np.array([60, -9])
shrinking.shrink(numbers, 4)
print(numbers.tolist(), "numba" in sys.modules)
"""


@pytest.fixture
def run(tmp_path):
    """Run a program in an interpreter of its own, with a module of one kernel."""
    (tmp_path / "shrinking.py").write_text(MODULE)

    def running(program: str, folder: Path) -> str:
        environment = {"PYTHONPATH": f"{tmp_path}:{PROJECT}", FOLDER: str(folder)}
        command = [sys.executable, "-W", "error", "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    return running


def test_numba_stays_outside(run, tmp_path):
    """Whoever runs a kernel has no numba, not even if it had to be compiled; the code is kept."""
    for _ in range(2):
        assert run(PROGRAM, tmp_path) == "[15, -3] False\n"
        (kept,) = tmp_path.glob("*.kernels")

    kept.write_text("nothing")
    assert run(PROGRAM, tmp_path) == ""


def test_a_changed_source_is_compiled_anew(run, tmp_path):
    """What was compiled of another source is not taken for it."""
    run(PROGRAM, tmp_path)
    (tmp_path / "shrinking.py").write_text(MODULE.replace("//=", "%="))

    assert run(PROGRAM, tmp_path) == "[0, 3] False\n"


@pytest.mark.parametrize("name", ["numba", "llvmlite"])
def test_another_compiler_compiles_anew(run, tmp_path, name):
    """Its code may be another, of the same source."""
    run(PROGRAM, tmp_path)
    other = (
        "from importlib import metadata\n"
        "its = metadata.version\n"
        f"metadata.version = lambda name: '0.1' if name == {name!r} else its(name)\n"
    )

    assert run(other + PROGRAM, tmp_path) == "[15, -3] False\n"
    assert len([*tmp_path.glob("*.kernels")]) == 2


def test_without_a_place_to_keep_code_numba_runs_the_kernels(run):
    """Slower to start, and the same otherwise."""
    assert run(PROGRAM, Path("/proc/nowhere")) == "[15, -3] True\n"


def test_another_processor_has_numba(run, tmp_path):
    """Code for x86-64 is neither made nor looked for elsewhere."""
    elsewhere = "import platform; platform.machine = lambda: 'riscv64'"

    assert run(elsewhere + PROGRAM, tmp_path) == "[15, -3] True\n"
    assert not [*tmp_path.glob("*.kernels")]


def test_what_fails_in_a_kernel_is_raised(run, tmp_path):
    """As in Python, but for the kind of the error."""
    program = PROGRAM.replace(
        "shrinking.shrink(numbers, 4)",
        "try: shrinking.shrink(numbers, 0)\nexcept RuntimeError as error: print(error)",
    )

    assert run(program, tmp_path).startswith("shrink ended with status 1\n")
