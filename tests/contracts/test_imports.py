import subprocess
import sys

SCRIPT = """
import sys
before = set(sys.modules)  # editable installs bring their own
import importlib, pkgutil, darkroom.contracts
for module in pkgutil.iter_modules(darkroom.contracts.__path__):
    importlib.import_module(f"darkroom.contracts.{module.name}")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*loaded - sys.stdlib_module_names)
"""
PYDANTIC = {
    "annotated_types",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
}


def test_contracts_need_pydantic_alone():
    """A client installs the contracts without numpy, aiohttp or anything else."""
    run = [sys.executable, "-c", SCRIPT]
    loaded = set(subprocess.run(run, check=True, capture_output=True, text=True).stdout.split())

    # The interpreter's own build data has a name of its platform.
    others = {name for name in loaded if not name.startswith("_sysconfigdata")}
    assert "pydantic" in others
    assert others <= PYDANTIC | {"darkroom"}
