"""Write the exact versions of everything that is deployed, as pip resolves them today.

`make lock` runs it. One resolution of all extras decides; each file then names what one part
needs of it, so the parts agree. torch stands alone: it comes from an index of its own.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
# Extras of pyproject.toml; dev holds the others.
PARTS = ("dev", "gateway", "jobs", "page", "serve")


def resolve(extra: str, constraints: Path | None = None) -> dict[str, str]:
    """Version by normalised name of all that an extra installs, without the project itself."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-"]
    if constraints is not None:
        command += ["--constraint", str(constraints)]
    # The build's own needs are locked too: the project is installed without build isolation.
    command += [f"{FOLDER.parent}[{extra}]", "setuptools"]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    packages = [entry["metadata"] for entry in json.loads(report)["install"]]
    versions = {re.sub(r"[-_.]+", "-", p["name"]).lower(): p["version"] for p in packages}
    del versions["darkroom"]
    return versions


def write(file: Path, versions: dict[str, str]) -> None:
    file.write_text("".join(f"{name}=={version}\n" for name, version in sorted(versions.items())))


def main() -> None:
    everything = FOLDER / "dev.txt"
    for extra in PARTS:
        versions = resolve(extra, everything if extra != "dev" else None)
        if torch := versions.pop("torch", None):
            write(FOLDER / "torch.txt", {"torch": torch.partition("+")[0]})
        write(FOLDER / f"{extra}.txt", versions)


if __name__ == "__main__":
    main()
