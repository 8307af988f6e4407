import json
import zipfile

import pytest

from handlers.trust import BuildError, check_archive, record_weights, sha256_of, verify_weights

MANIFEST = """
[weights."tone.safetensors"]
sha256 = "{}"
licence = "ours"
source = "training"
"""


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "tone.safetensors"
    file.write_bytes(b"weights")
    return file


@pytest.fixture
def manifest(tmp_path, weights):
    file = tmp_path / "manifest.toml"
    file.write_text(MANIFEST.format(sha256_of(weights)))
    return file


def test_weights_of_the_manifest_are_taken(weights, manifest):
    assert verify_weights(weights, manifest) == sha256_of(weights)


def test_changed_weights_are_refused_until_recorded(weights, manifest):
    """New weights need somebody to vouch for them; licence and source stay."""
    weights.write_bytes(b"other weights")
    with pytest.raises(BuildError, match="not the file"):
        verify_weights(weights, manifest)

    record_weights(weights, manifest)

    assert verify_weights(weights, manifest) == sha256_of(weights)
    assert 'licence = "ours"' in manifest.read_text()


@pytest.mark.parametrize("missing", ["weights", "manifest"])
def test_what_is_missing_is_named(weights, manifest, missing):
    """A store without its weights or its manifest: said so, not a traceback."""
    {"weights": weights, "manifest": manifest}[missing].unlink()

    with pytest.raises(BuildError, match="is missing in"):
        verify_weights(weights, manifest)


def test_weights_that_the_manifest_does_not_name_are_refused(weights, manifest):
    stranger = weights.with_name("stranger.safetensors")
    stranger.write_bytes(b"weights")

    with pytest.raises(BuildError, match="does not know"):
        verify_weights(stranger, manifest)
    with pytest.raises(BuildError, match="does not know"):
        record_weights(stranger, manifest)


@pytest.mark.parametrize("key", ["sha256", "licence", "source"])
def test_the_manifest_must_name_everything(weights, manifest, key):
    """Weights without a known origin are not served."""
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(line for line in lines if not line.startswith(key)))

    with pytest.raises(BuildError, match=f"no {key}"):
        verify_weights(weights, manifest)


def an_archive(folder, members=("handler.py", "a/b.py"), **model):
    path = folder / "made.mar"
    with zipfile.ZipFile(path, "w") as file:
        for member in members:
            file.writestr(member, "")
        model = {"handler": "handler.py", **model}
        file.writestr("MAR-INF/MANIFEST.json", json.dumps({"model": model}))
    return path


def test_an_archive_that_stays_inside_passes(tmp_path):
    check_archive(an_archive(tmp_path))


@pytest.mark.parametrize(
    "model",
    [
        {"configFile": "../../etc/config.yaml"},
        {"requirementsFile": "/etc/requirements.txt"},
        {"serializedFile": "a/../../b"},
        {"handler": "..\\handler.py/../.."},
        {"handler": "C:handler.py"},
    ],
)
def test_a_manifest_that_points_out_of_the_archive_is_refused(tmp_path, model):
    """TorchServe joins these paths to the model's folder without looking."""
    with pytest.raises(BuildError, match="leaves the archive"):
        check_archive(an_archive(tmp_path, **model))


@pytest.mark.parametrize("member", ["../escaped.py", "/etc/escaped.py"])
def test_a_member_that_unpacks_elsewhere_is_refused(tmp_path, member):
    with pytest.raises(BuildError, match="leaves the archive"):
        check_archive(an_archive(tmp_path, members=("handler.py", member)))


def test_a_file_that_the_manifest_names_must_be_there(tmp_path):
    with pytest.raises(BuildError, match="missing"):
        check_archive(an_archive(tmp_path, serializedFile="tone.safetensors"))
