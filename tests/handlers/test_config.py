"""The posture of every model server, as `config.properties` at the root says it."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LARGEST_JAVA_INT = (1 << 31) - 1


@pytest.fixture
def config():
    lines = (PROJECT / "config.properties").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def test_only_this_machine_may_call(config):
    """Every address is loopback; opening one is a container's explicit choice."""
    addresses = [value for key, value in config.items() if key.endswith("_address")]

    assert len(addresses) == 3
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)


def test_models_come_from_the_store_and_stay(config):
    """No registration over HTTP, no address to load from, nothing installed at start."""
    assert config["enable_model_api"] == "false"
    assert config["install_py_dep_per_model"] == "false"
    assert "http" not in config["allowed_urls"]


def test_the_largest_photo_fits(config):
    """Whatever DARKROOM_MAX_BYTES says: there, and back again."""
    assert config["max_request_size"] == config["max_response_size"] == str(LARGEST_JAVA_INT)


def test_metrics_can_be_scraped(config):
    assert config["metrics_mode"] == "prometheus"
