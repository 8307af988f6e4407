"""From an address to weights: with a file laid out like the official ones, on a local server.

Its tensors are single numbers seen as large ones, so it has every key and shape in 200 kB.
"""

import dataclasses
import hashlib
import io
import json
import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from darkroom import cli
from darkroom.contracts.options import ColorModel
from darkroom.inference.colorize import load_official
from darkroom.networks.deoldify.generator import Generator
from darkroom.networks.deoldify.weights import read_folded, write_folded
from darkroom.weights import commands, fetching
from darkroom.weights.download import FetchError
from darkroom.weights.fetching import PINS, fetch, state_of
from darkroom.weights.folder import weights_file
from darkroom.weights.manifest import OFFICIAL, Official
from darkroom.weights.notes import WrongWeights
from tests.weights.file_server import serving


def a_state(variant="artistic"):
    with torch.device("meta"):
        expected = Generator(variant).state_dict()
    numbers = (torch.full((), 0.01 + 0.0001 * n) for n in range(len(expected)))
    return {
        key: number.to(value.dtype).expand(value.shape)
        for (key, value), number in zip(expected.items(), numbers, strict=True)
    }


def saved(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def checkpoint():
    """The official layout: the old format, network and optimiser, a slice for a learning rate."""
    groups = [{"lr": slice(None, 0.003, None), "betas": (0.0, 0.9), "params": [n]} for n in (0, 1)]
    content = {"model": a_state(), "opt": {"state": {}, "param_groups": groups}}
    return saved(content, _use_new_zipfile_serialization=False)


@pytest.fixture
def server(checkpoint):
    with serving(checkpoint) as running:
        yield running


@pytest.fixture
def official(server):
    return an_official(server)


@pytest.fixture(autouse=True)
def converted(monkeypatch):
    """The conversion for processors, noted instead of made: it takes 15 s."""
    seen = []
    monkeypatch.setattr("darkroom.networks.serving.convert", seen.append)
    return seen


@pytest.fixture
def quick(monkeypatch):
    """For what is not about the network: any file becomes weights at once."""
    write = lambda _, checkpoint, target, *__: target.write_bytes(checkpoint.read_bytes()[:100])  # noqa: E731
    monkeypatch.setattr(fetching, "_convert", write)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network as the conversion leaves it; not to be changed."""
    with torch.device("meta"):
        network = Generator("artistic")
    network.load_state_dict(a_state(), assign=True)
    path = tmp_path_factory.mktemp("weights") / "artistic.safetensors"
    write_folded(network, path, {})
    return path


def an_official(server, **changed):
    content = server.content
    digest = hashlib.sha256(content).hexdigest()
    entry = Official("artistic", (server.url,), len(content), digest, "MIT", "a test")
    return dataclasses.replace(entry, **changed)


def test_an_interrupted_official_file_becomes_weights(server, official, converted, tmp_path):
    """Broken off, resumed, checked, read as plain data, folded; then it is ready and stays."""
    server.breaks_after = [50_000]

    path = fetch(official, tmp_path)

    network = read_folded(path, "artistic")
    assert sum(p.numel() for p in network.parameters()) > 60e6
    assert not [key for key in network.state_dict() if key.endswith(("_orig", "_u", "_v", "_g"))]
    assert converted == [path]
    assert state_of(official, tmp_path) == "ready"
    assert {file.name for file in tmp_path.iterdir()} == {path.name, PINS}
    requests = len(server.ranges)
    assert fetch(official, tmp_path) == path
    assert len(server.ranges) == requests == 2


def test_a_corrupt_file_is_discarded(server, official, tmp_path):
    """One flipped bit: the digest differs, nothing is converted or kept."""
    middle = len(server.content) // 2
    flipped = bytes([server.content[middle] ^ 1])
    server.content = server.content[:middle] + flipped + server.content[middle + 1 :]

    with pytest.raises(FetchError, match="SHA-256"):
        fetch(official, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_digest_is_pinned_at_first_sight(server, tmp_path):
    """Once taken by name, the unexpected file is the expected one; another is refused."""
    unexpected = an_official(server, sha256="0" * 64)
    path = fetch(unexpected, tmp_path, accept_digest=True)
    pins = json.loads((tmp_path / PINS).read_text())
    assert pins["artistic"]["sha256"] == hashlib.sha256(server.content).hexdigest()
    path.unlink()

    server.content = server.content[:-1] + b"!"
    with pytest.raises(FetchError, match="was pinned"):
        fetch(dataclasses.replace(unexpected, size_bytes=len(server.content)), tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_file_changed_on_disk_is_noticed(official, tmp_path):
    """`changed` in the list; the next fetch makes it anew."""
    path = fetch(official, tmp_path)
    path.write_bytes(b"something else")
    assert state_of(official, tmp_path) == "changed"

    fetch(official, tmp_path)

    assert state_of(official, tmp_path) == "ready"


@pytest.mark.usefixtures("quick")
def test_the_second_address_is_tried(server, official, tmp_path):
    """Where the first one has nothing, the mirror serves."""
    lost = f"{server.url}?lost"
    official = dataclasses.replace(official, urls=("http://127.0.0.1:1/lost", server.url))

    assert fetch(official, tmp_path).is_file()
    assert lost not in (tmp_path / PINS).read_text()


class Harmful:
    """Runs a command when a careless reader unpickles it."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: b"<!DOCTYPE html><title>Too many requests</title>", "web page"),
        (lambda: pickle.dumps({"model": Harmful()}, protocol=2), "plain"),
        (lambda: saved({"model": Harmful(), "opt": {}}), "plain"),
        (lambda: saved({"model": {"layers.0.0.weight": "text"}, "opt": {}}), "more than tensors"),
        (lambda: saved([1, 2, 3]), "no network"),
        (lambda: saved(a_state("stable")), "Is it stable?"),
        (lambda: saved(a_state() | {"layers.1.weight": torch.zeros(7)}), "layers.1.weight"),
        (lambda: saved(a_state() | {"layers.1.bias": torch.full((512,), torch.nan)}), "damaged"),
        (lambda: saved(a_state())[:-5000], "plain checkpoint, or damaged"),
    ],
    ids=["page", "pickle", "harmful", "text", "list", "stable", "shape", "nan", "truncated"],
)
def test_what_is_no_such_network_is_refused(server, tmp_path, content, reason):
    """Whatever lies there, even with the right digest: a clear word, no code of it is run."""
    server.content = content()

    with pytest.raises(FetchError, match=reason):
        fetch(an_official(server), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 100, 20_000, 5_000_000])
def test_truncated_safetensors_are_refused(weights, tmp_path, kept):
    """A file of ours that was cut off is no network, at whatever byte."""
    path = tmp_path / "artistic.safetensors"
    with weights.open("rb") as file:
        path.write_bytes(file.read(kept))

    with pytest.raises(WrongWeights):
        read_folded(path, "artistic")
    with pytest.raises(WrongWeights):
        load_official(path, ColorModel.ARTISTIC, "cpu")


def test_weights_of_another_network_are_refused(weights):
    """Artistic weights under the name of the stable ones: said by name."""
    with pytest.raises(WrongWeights, match="deoldify-artistic"):
        read_folded(weights, "stable")
    with pytest.raises(WrongWeights, match="deoldify-artistic"):
        load_official(weights, ColorModel.STABLE, "cpu")


def test_folded_weights_of_other_layers_are_refused(tmp_path):
    """A file that calls itself artistic and holds something else is told before it is loaded."""
    path = tmp_path / "artistic.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"network": "deoldify-artistic"})

    with pytest.raises(WrongWeights, match="does not fit artistic"):
        read_folded(path, "artistic")


@pytest.mark.usefixtures("quick")
def test_the_command_shows_licence_and_state(official, tmp_path, monkeypatch):
    """`weights fetch` names the licence and ends well; `weights list` then says ready."""
    monkeypatch.setenv("DARKROOM_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(commands, "OFFICIAL", {"artistic": official})
    run = CliRunner().invoke

    fetched, listed = (
        run(cli.app, ["weights", "fetch", "artistic"]),
        run(cli.app, ["weights", "list"]),
    )

    assert (fetched.exit_code, listed.exit_code) == (0, 0), fetched.output
    assert "Licence: MIT" in fetched.output
    assert "ready" in listed.output


def test_a_failed_fetch_is_status_1(server, official, tmp_path, monkeypatch):
    """A sentence on standard error and status 1; an unknown name is wrong usage."""
    monkeypatch.setenv("DARKROOM_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(commands, "OFFICIAL", {"artistic": official})
    server.status = 503
    run = CliRunner().invoke

    failed, unknown = (
        run(cli.app, ["weights", "fetch", "artistic"]),
        run(cli.app, ["weights", "fetch", "x"]),
    )

    assert (failed.exit_code, unknown.exit_code) == (1, 2)
    assert "503" in failed.stderr


def test_pins_that_cannot_be_read_are_not_overlooked(official, tmp_path, monkeypatch):
    """Without them any file would be taken: nothing is fetched, and the file is named."""
    monkeypatch.setenv("DARKROOM_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(commands, "OFFICIAL", {"artistic": official})
    (tmp_path / PINS).write_text("cut off")
    weights_file(tmp_path, "artistic").touch()

    for words in (["weights", "fetch", "artistic"], ["weights", "list"]):
        ended = CliRunner().invoke(cli.app, words)

        assert ended.exit_code == 1
        assert PINS in ended.stderr


def test_without_the_packages_that_convert_they_are_named(official, tmp_path, monkeypatch):
    """The bare install can download, not convert: status 1 and what to install."""
    monkeypatch.setenv("DARKROOM_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(commands, "OFFICIAL", {"artistic": official})
    monkeypatch.setitem(sys.modules, "darkroom.networks.serving", None)

    ended = CliRunner().invoke(cli.app, ["weights", "fetch", "artistic"])

    assert ended.exit_code == 1
    assert "pip install 'darkroom[serve]'" in ended.stderr


def test_the_manifest_is_complete():
    """Every entry has a secure address, a size, a digest and a licence."""
    for entry in OFFICIAL.values():
        assert all(url.startswith("https://") for url in entry.urls)
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert entry.size_bytes > 200e6
        assert "MIT" in entry.licence
