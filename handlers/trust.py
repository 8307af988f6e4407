"""What an archive may hold: weights that the manifest vouches for, and paths that stay inside."""

import hashlib
import json
import re
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

ARCHIVE_MANIFEST = "MAR-INF/MANIFEST.json"
_PATHS = ("handler", "serializedFile", "configFile", "modelFile", "requirementsFile")


class BuildError(Exception):
    """An archive cannot be built; the message says why."""


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify_weights(weights: Path, manifest: Path) -> str:
    """SHA-256 of the weights, if the manifest vouches for it and names licence and source.

    Raises:
        BuildError: it does not.
    """
    if not weights.is_file() or not manifest.is_file():
        raise BuildError(f"{weights.name} or {manifest.name} is missing in {manifest.parent}")
    entry = tomllib.loads(manifest.read_text()).get("weights", {}).get(weights.name)
    if entry is None:
        raise BuildError(f"{manifest.name} does not know {weights.name}")
    for key in ("sha256", "licence", "source"):
        if not entry.get(key):
            raise BuildError(f"{manifest.name} names no {key} for {weights.name}")
    digest = sha256_of(weights)
    if digest != entry["sha256"]:
        raise BuildError(f"{weights.name} is not the file whose SHA-256 is in {manifest.name}")
    return digest


def record_weights(weights: Path, manifest: Path) -> None:
    """Vouch for new weights in the manifest; licence and source stay as they were written there.

    Raises:
        BuildError: the manifest has no entry for weights of this name.
    """
    entry = rf'(\[weights\."{re.escape(weights.name)}"\]\nsha256 = )"[0-9a-f]*"'
    text, found = re.subn(entry, rf'\1"{sha256_of(weights)}"', manifest.read_text())
    if not found:
        raise BuildError(f"{manifest.name} does not know {weights.name}")
    manifest.write_text(text)


def check_archive(path: Path) -> None:
    """Check that nothing in an archive points out of it: TorchServe itself does not.

    Raises:
        BuildError: a member or a path of the manifest is absolute or climbs, or is missing.
    """
    with zipfile.ZipFile(path) as file:
        members = set(file.namelist())
        model = json.loads(file.read(ARCHIVE_MANIFEST))["model"]
    named = [model[key] for key in _PATHS if key in model]
    for name in [*members, *named]:
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts or ":" in name:
            raise BuildError(f"{path.name}: the path {name!r} leaves the archive")
    if missing := set(named) - members:
        raise BuildError(f"{path.name}: {', '.join(sorted(missing))} is missing")
