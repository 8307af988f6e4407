import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from darkroom.contracts.options import LONGEST_BUDGET_MS
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.tone import ToneNetwork
from darkroom.networks.weights import write_weights
from handlers.archives import ARCHIVES
from handlers.build import build, main
from handlers.trust import ARCHIVE_MANIFEST, sha256_of

TONE = ARCHIVES["tone"]
SERVE_MODEL = Path(__file__).parents[2] / "deploy" / "serve-model"


def a_store(folder):
    """A model store with the weights of untrained networks: the archive's own and its judge's."""
    (folder / "weights").mkdir(parents=True)
    lines = []
    for name, network in zip(TONE.all_weights, (ToneNetwork(), DefectNetwork()), strict=True):
        write_weights(folder / "weights" / name, network, {})
        digest = sha256_of(folder / "weights" / name)
        lines += [f'[weights."{name}"]', f'sha256 = "{digest}"', 'licence = "x"', 'source = "x"']
    (folder / "manifest.toml").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store with its archive built, once for this module."""
    folder = a_store(tmp_path_factory.mktemp("store"))
    assert build(TONE, folder)
    return folder


@pytest.fixture(scope="module")
def unpacked(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(store / "tone.mar") as file:
        file.extractall(folder)
    return folder


def test_what_has_not_changed_is_not_built_again(store):
    """The second run leaves the file alone."""
    before = (store / "tone.mar").stat().st_mtime_ns

    assert main(["tone", "--store", str(store)]) == 0

    assert (store / "tone.mar").stat().st_mtime_ns == before


def test_a_damaged_archive_is_built_again_with_the_same_bytes(store):
    """One changed byte is noticed; equal sources give an equal archive."""
    archive = store / "tone.mar"
    good = archive.read_bytes()
    archive.write_bytes(good[:2000] + bytes([good[2000] ^ 1]) + good[2001:])

    assert build(TONE, store)

    assert archive.read_bytes() == good
    assert (store / "archives.sha256").read_text() == f"{sha256_of(archive)}  tone.mar\n"


def test_a_container_refuses_an_archive_changed_by_one_byte(store):
    """What `deploy/serve-model` runs first fails, and with it the start."""
    check = next(line for line in SERVE_MODEL.read_text().splitlines() if "sha256sum" in line)
    archive = store / "tone.mar"
    good = archive.read_bytes()
    assert "set -eu" in SERVE_MODEL.read_text()
    assert subprocess.run(check, shell=True, cwd=store).returncode == 0

    archive.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])
    refused = subprocess.run(check, shell=True, cwd=store, capture_output=True)
    archive.write_bytes(good)

    assert refused.returncode != 0


def test_an_archive_stands_alone(unpacked):
    """Its entry file imports with nothing of ours on the path but the archive itself."""
    look = "import tone_handler, darkroom.imaging.codec, handlers.base; "
    look += "print(darkroom.imaging.codec.__file__, handlers.base.__file__)"
    command = [sys.executable, "-c", look]
    environment = {"PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        command, cwd=unpacked, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert all(path.startswith(str(unpacked)) for path in done.stdout.split())


def test_an_archive_records_what_it_was_built_with(unpacked):
    """Networks, weights and what runs first are named with digests, for the handler to verify."""
    config = yaml.safe_load((unpacked / "model-config.yaml").read_text())

    recorded = config["handler"]["sha256"]

    suffixes = ("safetensors", "xml", "bin")
    networks = {f"{name}.{end}" for name in ("tone", "defects") for end in suffixes}
    assert set(recorded) == networks | {"sitecustomize.py"}
    assert all(sha256_of(unpacked / name) == digest for name, digest in recorded.items())


def test_the_version_of_an_archive_tells_what_it_was_made_of(unpacked):
    """Other sources, other version: replies name it, results are kept by it, trials go by it."""
    config = yaml.safe_load((unpacked / "model-config.yaml").read_text())
    manifest = json.loads((unpacked / ARCHIVE_MANIFEST).read_text())

    sources = config["handler"]["sources_sha256"]
    assert manifest["model"]["modelVersion"] == f"{TONE.version}+{sources[:8]}"


def test_one_photo_never_waits_for_another(unpacked):
    """TorchServe is told: one worker, no batch to wait for, a bounded queue, an end to hanging."""
    config = yaml.safe_load((unpacked / "model-config.yaml").read_text())

    assert (config["minWorkers"], config["maxWorkers"], config["batchSize"]) == (1, 1, 1)
    assert config["jobQueueSize"] <= 100
    assert config["responseTimeout"] <= 30


def test_an_archive_for_batches_has_a_queue_for_the_next():
    """While one is at work, the gateway may send as many photos again: none is turned away."""
    config = replace(ARCHIVES["restore"], batch_size=8).config({}, "")

    assert (config["batchSize"], config["jobQueueSize"]) == (8, 16)


def test_a_batch_of_nothing_is_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--batch", "0"])

    assert "one photo at least" in capsys.readouterr().err


def test_no_worker_is_ended_while_its_photo_has_time():
    """`restore` works at the largest size that a budget allows: TorchServe waits so long."""
    assert ARCHIVES["restore"].response_timeout_s * 1000 > LONGEST_BUDGET_MS


def test_weights_nobody_vouches_for_stop_the_build(tmp_path, capsys):
    """The command fails and says why; there is no archive."""
    folder = a_store(tmp_path / "store")
    shutil.copy(folder / "manifest.toml", folder / "weights" / TONE.weights)

    assert main(["tone", "--store", str(folder)]) == 1

    assert "not the file" in capsys.readouterr().err
    assert not (folder / "tone.mar").exists()


def test_weights_that_are_no_network_stop_the_build(tmp_path, capsys):
    """Vouched for they may be: the command names the file and says why; there is no archive."""
    folder = a_store(tmp_path / "store")
    (folder / "weights" / TONE.weights).write_bytes(b"cut off")

    assert main(["tone", "--store", str(folder), "--record"]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"error: converting {TONE.weights} failed: ")
    assert "WrongWeights" in said
    assert not (folder / "tone.mar").exists()


def test_an_unknown_archive_is_a_usage_error(capsys):
    with pytest.raises(SystemExit):
        main(["nothing"])

    assert "nothing" in capsys.readouterr().err
