"""Build the archives: `python -m handlers.build [NAME…] [--batch N]`, or `make archives`.

An archive is self-contained: entry file, weights, the network converted ahead of time, and copies
of the packages it imports. It names the digest of all it was made from, so only what has changed
is built again; and the same sources give the same bytes, so `archives.sha256` beside the archives
(`sha256sum --check` reads it) tells a container what to expect.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import yaml

from handlers.archives import ARCHIVES, Archive
from handlers.trust import (
    ARCHIVE_MANIFEST,
    BuildError,
    check_archive,
    record_weights,
    sha256_of,
    verify_weights,
)

PROJECT = Path(__file__).parents[1]
STORE = PROJECT / "model-store"
PACKAGES = tuple(f"darkroom/{name}" for name in ("contracts", "imaging", "inference", "networks"))
MODULES = (
    "darkroom/__init__.py",
    *(f"darkroom/weights/{name}.py" for name in ("__init__", "folder", "notes")),
    *(
        f"handlers/{name}.py"
        for name in (
            "__init__",
            "adjusting",
            "base",
            "judging",
            "overlapping",
            "rendering",
            "sharing",
            "slot",
            "warming",
        )
    ),
)
CONFIG = "model-config.yaml"
_CONVERT = """
import sys
from pathlib import Path
from darkroom.networks.serving import convert
convert(Path(sys.argv[1]))
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m handlers.build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ARCHIVES)}")
    parser.add_argument("--store", type=Path, default=STORE, help="where weights and archives lie")
    parser.add_argument(
        "--record", action="store_true", help="first write the weights' SHA-256 to the manifest"
    )
    parser.add_argument(
        "--batch", type=int, default=1, help="most photos that a handler gets at once; 1"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - ARCHIVES.keys():
        parser.error(f"there is no archive {', '.join(sorted(unknown))}")
    if options.batch < 1:
        parser.error("a batch has one photo at least")
    try:
        for name in options.names or ARCHIVES:
            archive = replace(ARCHIVES[name], batch_size=options.batch)
            if options.record:
                weights = options.store / "weights" / archive.weights
                record_weights(weights, options.store / "manifest.toml")
            changed = build(archive, options.store)
            print(f"{archive.name}.mar {'built' if changed else 'unchanged'}")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build(archive: Archive, store: Path) -> bool:
    """Build `archive` into `store`, unless the one there was made of the same; True if built.

    Raises:
        BuildError: the weights are not those of the manifest or no network, or a path would leave
            the archive.
    """
    weights = [store / "weights" / name for name in archive.all_weights]
    for file in weights:
        verify_weights(file, store / "manifest.toml")
    target = store / f"{archive.name}.mar"
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        sources = _stage(archive, weights, stage)
        if _sources_of(target) == sources:
            return False
        content = _lay_out(archive, sources, stage)
        fresh = _zip(content, stage / target.name)
        check_archive(fresh)
        # Beside the target first: whoever starts meanwhile sees the old archive or the new one.
        shutil.copy(fresh, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)
    digests = (f"{sha256_of(path)}  {path.name}\n" for path in sorted(store.glob("*.mar")))
    (store / "archives.sha256").write_text("".join(digests))
    return True


def _stage(archive: Archive, weights: list[Path], stage: Path) -> str:
    """Copy everything that goes into the archive, and return the digest of it all."""
    extra = stage / "extra"
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, extra / package, ignore=ignored)
    for module in MODULES:
        (extra / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / module, extra / module)
    shutil.copy(PROJECT / "handlers" / archive.entry, stage)
    shutil.copy(PROJECT / "handlers" / "sitecustomize.py", extra)
    for file in weights:
        shutil.copy(file, stage)
    digest = hashlib.sha256(repr(archive).encode())
    for package in ("openvino", "torch", "torch-model-archiver"):  # they make the rest of it
        digest.update(metadata.version(package).encode())
    digest.update(sha256_of(Path(__file__)).encode())
    for file in sorted(file for file in stage.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(stage)} {sha256_of(file)}\n".encode())
    return digest.hexdigest()


def _sources_of(target: Path) -> str | None:
    """The digest that a built archive names as its sources'; None where there is none to read."""
    try:
        with zipfile.ZipFile(target) as file:
            if file.testzip() is not None:
                return None
            config = yaml.safe_load(file.read(CONFIG))
            return str(config["handler"]["sources_sha256"])
    except (OSError, zipfile.BadZipFile, yaml.YAMLError, KeyError, TypeError):
        return None


def _lay_out(archive: Archive, sources: str, stage: Path) -> Path:
    """The content of an archive as a folder, made by TorchServe's own archiver."""
    weights, *others = (stage / name for name in archive.all_weights)
    for file in (weights, *others):
        # In a process of its own: the converter numbers nodes on, and equal networks would differ.
        _run(f"converting {file.name}", stage, sys.executable, "-c", _CONVERT, str(file))
        for suffix in (".xml", ".bin"):
            shutil.move(file.with_suffix(suffix), stage / "extra")
    for file in others:
        shutil.move(file, stage / "extra")
    files = [weights, *(f for f in (stage / "extra").iterdir() if f.is_file())]
    config = archive.config({file.name: sha256_of(file) for file in files}, sources)
    (stage / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False))
    (stage / "made").mkdir()
    _run(
        f"archiving {archive.name}",
        stage,
        *(sys.executable, "-m", "model_archiver.model_packaging"),
        # By what it was made of: two that may answer differently never say the same.
        *("--model-name", archive.name, "--version", f"{archive.version}+{sources[:8]}"),
        *("--handler", str(stage / archive.entry), "--serialized-file", str(weights)),
        *("--config-file", str(stage / CONFIG), "--extra-files", str(stage / "extra")),
        *("--archive-format", "no-archive", "--export-path", str(stage / "made")),
    )
    return stage / "made" / archive.name


def _run(work: str, stage: Path, *command: str) -> None:
    # The archiver works in a folder of the model's name under the temporary one, emptying it first.
    own = stage / "tmp"
    own.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(own)}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{work} failed: {done.stderr.strip()[-500:]}")


def _zip(content: Path, target: Path) -> Path:
    """Pack a folder so that the same content gives the same bytes: sorted, undated."""
    manifest = json.loads((content / ARCHIVE_MANIFEST).read_text())
    manifest["createdOn"] = "01/01/1980 00:00:00"  # TorchServe warns where there is none
    (content / ARCHIVE_MANIFEST).write_text(json.dumps(manifest, indent=2))
    files = sorted(file for file in content.rglob("*") if file.is_file())
    # Stored: compressing weights gains 8 % and costs more at each start than reading them.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(content).as_posix())  # dated 1980
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, file.read_bytes())
    return target


if __name__ == "__main__":
    sys.exit(main())
