"""Tests of `darkroom.cluster.servers`."""

import dataclasses
import socket
from itertools import islice

import pytest

from darkroom.cluster.servers import (
    PROJECT,
    ClusterError,
    Layout,
    free_ports,
    lay_out,
    port_is_free,
)


@pytest.fixture
def taken():
    """A port of this machine on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def layout(tmp_path):
    """A model store with two archives, and the folders beside it."""
    for folder in ("store", "run", "temporary"):
        (tmp_path / folder).mkdir()
    for name in ("defects", "tone"):
        (tmp_path / "store" / f"{name}.mar").touch()
    port = next(free_ports(20_000))
    return Layout("127.0.0.1", port, tmp_path / "store", tmp_path / "run", tmp_path / "temporary")


def test_every_archive_gets_a_server_and_the_gateway_comes_last(layout):
    """One model server per archive found, what jobs need, then the gateway."""
    names = [server.name for server in lay_out(layout)]

    assert names == ["defects", "tone", "database", "worker", "gateway"]


def test_operators_own_database_is_used(layout, monkeypatch):
    """With DARKROOM_DATABASE_URL set no database is started; worker and gateway get the address."""
    monkeypatch.setenv("DARKROOM_DATABASE_URL", "postgresql://elsewhere/darkroom")

    *models, worker, gateway = lay_out(layout)

    assert [server.name for server in models] == ["defects", "tone"]
    for server in (worker, gateway):
        assert server.environment["DARKROOM_DATABASE_URL"] == "postgresql://elsewhere/darkroom"


def test_gateway_and_model_servers_share_photos(layout, tmp_path):
    """All of them are told of the same folder; of none where the system has no memory for it."""
    shared = dataclasses.replace(layout, shared=tmp_path / "shared")
    told = {
        where: {
            server.environment.get("DARKROOM_SHARED_FOLDER")
            for server in lay_out(where)
            if server.name in ("defects", "tone", "gateway")
        }
        for where in (layout, shared)
    }

    assert told == {layout: {""}, shared: {str(tmp_path / "shared")}}


def test_gateway_and_worker_share_their_data(layout):
    """The gateway writes photos where the worker reads them, and both look for one database."""
    *_, database, worker, gateway = lay_out(layout)

    folder = gateway.environment["DARKROOM_DATA_FOLDER"]
    assert worker.environment["DARKROOM_DATA_FOLDER"] == folder
    assert database.command[-1] == f"{folder}/database"
    assert worker.environment["DARKROOM_GATEWAY_URL"] == layout.url


def test_worker_ends_before_the_gateway_and_that_before_the_rest(layout):
    """Each can finish what it has while those it needs still live."""
    stages = {server.name: server.stage for server in lay_out(layout)}

    assert stages == {"defects": 0, "tone": 0, "database": 0, "worker": 2, "gateway": 1}


def test_model_servers_share_no_address_folder_or_log(layout):
    """Ports, temporary folders, working folders and logs are each server's own."""
    defects, tone, *_ = lay_out(layout)

    for address in ("TS_INFERENCE_ADDRESS", "TS_MANAGEMENT_ADDRESS", "TS_METRICS_ADDRESS"):
        assert defects.environment[address] != tone.environment[address]
    assert defects.folder != tone.folder
    assert defects.log != tone.log
    temporary = [
        next(word for word in server.command if word.startswith("-Djava.io.tmpdir="))
        for server in (defects, tone)
    ]
    assert len(set(temporary)) == 2


def test_gateway_knows_the_model_servers_addresses(layout):
    """The gateway's variables are the addresses the model servers listen on."""
    defects, tone, *_, gateway = lay_out(layout)

    for name, server in (("DEFECTS", defects), ("TONE", tone)):
        assert (
            gateway.environment[f"DARKROOM_{name}_URL"]
            == (server.environment["TS_INFERENCE_ADDRESS"])
        )


def test_enhancer_without_an_archive_is_not_in_the_cluster(layout):
    """An enhancer without an archive has an empty address, so that no default stands in for it."""
    (layout.model_store / "tone.mar").unlink()

    *_, gateway = lay_out(layout)

    assert gateway.environment["DARKROOM_TONE_URL"] == ""


def test_model_server_gets_the_jvm_options_of_the_shared_file(layout):
    """`vmargs` of config.properties, which Java does not read, is passed on the command line."""
    defects, *_ = lay_out(layout)

    settings = (PROJECT / "config.properties").read_text().splitlines()
    line = next(line for line in settings if line.startswith("vmargs"))
    assert set(line.partition("=")[2].split()) <= set(defects.command)


def test_servers_inherit_the_environment(layout, monkeypatch):
    """An operator's settings reach the servers; what would shadow an archive's modules does not."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("DARKROOM_BUDGET_MS", "700")

    defects, *_, gateway = lay_out(layout)

    assert gateway.environment["DARKROOM_BUDGET_MS"] == "700"
    assert "PYTHONPATH" not in defects.environment


def test_taken_port_is_refused_with_a_way_out(layout, taken):
    """A taken port is an error that names the port and the option."""
    with pytest.raises(ClusterError, match=rf"Port {taken} .*--port"):
        lay_out(Layout("127.0.0.1", taken, layout.model_store, layout.run_folder, layout.temporary))


def test_missing_archive_is_refused_with_a_way_out(layout):
    """Without the archive for diagnoses the error names the command that builds it."""
    (layout.model_store / "defects.mar").unlink()

    with pytest.raises(ClusterError, match="make archives"):
        lay_out(layout)


def test_address_of_another_machine_is_refused(layout):
    """An address that is not this machine's is an error, not a traceback."""
    with pytest.raises(ClusterError, match="Cannot listen"):
        port_is_free("192.0.2.1", layout.port)


def test_free_ports_pass_over_taken_ones(taken):
    """Ports are handed out upwards, each once, without those that are taken."""
    ports = list(islice(free_ports(taken), 5))

    assert taken not in ports
    assert len(set(ports)) == 5
