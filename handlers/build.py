"""Build the archives: `python -m handlers.build [NAME…] [--store DIR]`, or `make archives`.

An archive is self-contained: entry file, weights, and copies of the packages it imports. The same
sources give the same bytes, so an archive is replaced only when it has changed, and
`archives.sha256` beside them (`sha256sum --check` reads it) tells a container what to expect.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import yaml

from handlers.archives import ARCHIVES, Archive

PROJECT = Path(__file__).parents[1]
STORE = PROJECT / "model-store"
PACKAGES = ("darkroom/contracts", "darkroom/imaging", "darkroom/networks")
MODULES = (
    "darkroom/__init__.py",
    *(f"handlers/{m}.py" for m in ("__init__", "base", "slot", "warming")),
)
DIGESTS = "archives.sha256"
MANIFEST = "MAR-INF/MANIFEST.json"
PATHS_IN_MANIFEST = ("handler", "serializedFile", "configFile", "modelFile", "requirementsFile")


class BuildError(Exception):
    """An archive cannot be built; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m handlers.build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ARCHIVES)}")
    parser.add_argument("--store", type=Path, default=STORE, help="where weights and archives lie")
    parser.add_argument(
        "--record", action="store_true", help="first write the weights' SHA-256 to the manifest"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - ARCHIVES.keys():
        parser.error(f"there is no archive {', '.join(sorted(unknown))}")
    try:
        for name in options.names or ARCHIVES:
            if options.record:
                record_weights(options.store / "weights" / ARCHIVES[name].weights)
            changed = build(ARCHIVES[name], options.store)
            print(f"{name}.mar {'built' if changed else 'unchanged'}")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build(archive: Archive, store: Path) -> bool:
    """Build `archive` into `store`; True if it differs from the one that was there.

    Raises:
        BuildError: the weights are not those of the manifest, or a path would leave the archive.
    """
    weights = store / "weights" / archive.weights
    digest = verified_weights(weights, store / "manifest.toml")
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        content = _lay_out(archive, weights, digest, stage)
        fresh = stage / f"{archive.name}.mar"
        _zip(content, fresh)
        check_archive(fresh)
        target = store / fresh.name
        if target.is_file() and target.read_bytes() == fresh.read_bytes():
            return False
        # Beside the target first: whoever starts meanwhile sees the old archive or the new one.
        shutil.copy(fresh, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)
    _write_digests(store)
    return True


def verified_weights(weights: Path, manifest: Path) -> str:
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
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        raise BuildError(f"{weights.name} is not the file whose SHA-256 is in {manifest.name}")
    return digest


def record_weights(weights: Path) -> None:
    """Vouch for new weights in the manifest; licence and source stay as they were written there.

    Raises:
        BuildError: the manifest has no entry for weights of this name.
    """
    manifest = weights.parents[1] / "manifest.toml"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    entry = rf'(\[weights\."{re.escape(weights.name)}"\]\nsha256 = )"[0-9a-f]*"'
    text, found = re.subn(entry, rf'\1"{digest}"', manifest.read_text())
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
        model = json.loads(file.read(MANIFEST))["model"]
    named = [model[key] for key in PATHS_IN_MANIFEST if key in model]
    for name in [*members, *named]:
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts or ":" in name:
            raise BuildError(f"{path.name}: the path {name!r} leaves the archive")
    if missing := set(named) - members:
        raise BuildError(f"{path.name}: {', '.join(sorted(missing))} is missing")


def _lay_out(archive: Archive, weights: Path, digest: str, stage: Path) -> Path:
    """The content of an archive as a folder, made by TorchServe's own archiver."""
    extra = stage / "extra"
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, extra / package, ignore=ignored)
    for module in MODULES:
        (extra / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / module, extra / module)
    config = stage / "model-config.yaml"
    config.write_text(yaml.safe_dump(archive.config(digest), sort_keys=False))
    made = stage / "made"
    made.mkdir()
    command = [sys.executable, "-m", "model_archiver.model_packaging"]
    command += ["--model-name", archive.name, "--version", archive.version]
    command += ["--handler", str(PROJECT / "handlers" / archive.entry)]
    command += ["--serialized-file", str(weights), "--config-file", str(config)]
    command += ["--extra-files", str(extra), "--archive-format", "no-archive"]
    command += ["--export-path", str(made)]
    # It works in a folder of the model's name under the temporary one, and empties that first.
    own = stage / "tmp"
    own.mkdir()
    environment = os.environ | {"TMPDIR": str(own)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{archive.name}: the archiver failed: {done.stderr.strip()[-500:]}")
    return made / archive.name


def _zip(content: Path, target: Path) -> None:
    """Pack a folder so that the same content gives the same bytes: sorted, undated."""
    manifest = json.loads((content / MANIFEST).read_text())
    manifest.pop("createdOn")
    (content / MANIFEST).write_text(json.dumps(manifest, indent=2))
    files = sorted(file for file in content.rglob("*") if file.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(content).as_posix())  # dated 1980
            entry.external_attr = 0o644 << 16
            # Stored: compressing weights gains 8 % and costs more at each start than reading them.
            packed.writestr(entry, file.read_bytes(), zipfile.ZIP_STORED)


def _write_digests(store: Path) -> None:
    digests = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(store.glob("*.mar"))
    ]
    (store / DIGESTS).write_text("".join(digests))


if __name__ == "__main__":
    sys.exit(main())
