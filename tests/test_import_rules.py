"""Who may import whom: the table of docs/architecture.md, checked against every import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

MAY_IMPORT = {
    "darkroom": {"darkroom.blocking", "darkroom.client"},  # the package itself: its lazy names
    "darkroom.contracts": set(),
    "darkroom.imaging": {"darkroom.contracts"},
    "darkroom.networks": {"darkroom.contracts", "darkroom.imaging", "darkroom.weights.notes"},
    "darkroom.inference": {
        "darkroom.contracts",
        "darkroom.imaging",
        "darkroom.networks",  # where there is a GPU or nothing converted; see below
        "darkroom.weights.notes",
    },
    "darkroom.transport": {"darkroom.contracts"},
    "darkroom.client": {"darkroom.contracts", "darkroom.transport"},
    "darkroom.blocking": {"darkroom.contracts", "darkroom.client"},
    "darkroom.cluster": {"darkroom.contracts", "darkroom.client"},
    "darkroom.trial": {"darkroom.contracts", "darkroom.imaging"},
    "darkroom.weights": {
        "darkroom.contracts",
        "darkroom.networks",
        "darkroom.weights.folder",
        "darkroom.weights.notes",
    },
    "darkroom.weights.folder": set(),
    "darkroom.weights.notes": set(),
    "darkroom.session": {"darkroom.contracts", "darkroom.client", "darkroom.transport"},
    "darkroom.jobs": {"darkroom.contracts", "darkroom.client", "darkroom.session"},
    "darkroom.many": set(),
    "darkroom.cli_tables": {"darkroom.contracts", "darkroom.client"},
    "darkroom.photos_cli": {
        "darkroom.contracts",
        "darkroom.cli_tables",
        "darkroom.client",
        "darkroom.many",
    },
    "darkroom.jobs_cli": {
        "darkroom.contracts",
        "darkroom.client",
        "darkroom.jobs",
        "darkroom.many",
    },
    "darkroom.votes": {
        "darkroom.contracts",
        "darkroom.client",
        "darkroom.many",
        "darkroom.session",
    },
    "darkroom.cli": {
        "darkroom.cluster",
        "darkroom.jobs_cli",
        "darkroom.photos_cli",
        "darkroom.votes",
        "darkroom.weights",
    },
    "handlers": {
        "darkroom.contracts",
        "darkroom.imaging",
        "darkroom.inference",
        "darkroom.weights.folder",
    },
    "gateway": {"darkroom.contracts", "darkroom.imaging"},
    "training": {
        "darkroom.blocking",
        "darkroom.client",
        "darkroom.contracts",
        "darkroom.imaging",
        "darkroom.inference",
        "darkroom.networks",
    },
    # The handlers and what is below them are measured in-process too, without HTTP around them; and
    # the gateway before frameworks that its edge does not speak to.
    "benchmark": {
        "darkroom.contracts",
        "darkroom.client",
        "darkroom.imaging",
        "darkroom.cluster",
        "darkroom.inference",
        "darkroom.networks",
        "gateway",
        "handlers",
    },
}
FOLDERS = ("darkroom", "handlers", "gateway", "training", "benchmark")
OURS = {file for folder in FOLDERS for file in (PROJECT / folder).rglob("*.py")}


def part_of(module: str) -> str:
    """The part a module belongs to: `darkroom.imaging.codec` → `darkroom.imaging`."""
    return max((p for p in MAY_IMPORT if f"{module}.".startswith(f"{p}.")), key=len)


def imports(file: Path) -> Iterator[str]:
    """Every module a file imports, wherever in the file; relative imports start with a dot."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names
            )


@pytest.mark.parametrize("file", sorted(OURS), ids=lambda file: str(file.relative_to(PROJECT)))
def test_imports_follow_the_table(file):
    """A module imports, of our own, its own part and what the table allows; never relatively."""
    part = part_of(".".join(file.relative_to(PROJECT).with_suffix("").parts))
    ours = [name for name in imports(file) if name.startswith((".", *FOLDERS))]

    forbidden = [
        name
        for name in ours
        if name.startswith(".") or part_of(name) not in MAY_IMPORT[part] | {part}
    ]

    assert not forbidden


@pytest.mark.parametrize("module", ["gateway.app", "gateway.__main__"])
def test_gateway_loads_nothing_that_touches_pixels(module):
    """In a fresh interpreter the gateway brings in no torch, no numpy and no codec."""
    heavy = {"torch", "numpy", "numba", "openvino", "cv2", "PIL", "simplejpeg"}
    program = f"import sys, {module}; print(sorted({heavy!r} & sys.modules.keys()))"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.stdout == "[]\n", ended.stderr


def test_what_serves_on_a_processor_loads_neither_torch_nor_numba():
    """In a fresh interpreter the handlers bring in none, nor their kernels made ready."""
    handlers = [f"handlers.{file.stem}" for file in (PROJECT / "handlers").glob("*_handler.py")]
    program = f"import sys, {', '.join(handlers)}; handlers.base.load_kernels(); "
    program += "print({'torch', 'numba'} & sys.modules.keys())"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.stdout == "set()\n", ended.stderr
