"""`gateway/addresses.py`: every address that stands for a model server."""

import json

import pytest

from gateway.addresses import Addresses, resolve

KNOWN = {"tone": ["10.0.0.3", "10.0.0.4"], "spare": ["10.0.0.9"]}


async def names(host, _):
    """A name service that can be told to forget."""
    if host not in KNOWN:
        raise OSError("name not known")
    return KNOWN[host]


async def test_every_address_of_a_name_is_a_replica():
    """As Docker's name service answers for three containers of one service."""
    found = await Addresses("tone", "http://tone:8080/", resolve=names).look_up()

    assert found == ("http://10.0.0.3:8080/", "http://10.0.0.4:8080/")


async def test_several_urls_are_taken_together():
    """Separated by commas, each address once."""
    urls = "http://tone:8080/,http://spare:8081/,http://tone:8080/"
    found = await Addresses("tone", urls, resolve=names).look_up()

    assert found == ("http://10.0.0.3:8080/", "http://10.0.0.4:8080/", "http://10.0.0.9:8081/")


async def test_name_service_that_is_down_takes_no_replica_with_it(monkeypatch):
    """What was known stays; a name never known has no address."""
    addresses = Addresses("tone", "http://tone:8080/", resolve=names)
    before = await addresses.look_up()
    monkeypatch.delitem(KNOWN, "tone")

    assert await addresses.look_up() == before
    assert await Addresses("tone", "http://tone:8080/", resolve=names).look_up() == ()


async def test_listed_replicas_are_read_again(tmp_path):
    """The file that `darkroom up` keeps; for other names, and before it is there, URLs count."""
    listing = tmp_path / "replicas.json"
    addresses = Addresses("tone", "http://127.0.0.1:1/", listing)
    assert await addresses.look_up() == ("http://127.0.0.1:1/",)

    listing.write_text(json.dumps({"defects": ["http://127.0.0.1:9"]}))
    assert await addresses.look_up() == ("http://127.0.0.1:1/",)

    listing.write_text(json.dumps({"tone": ["http://127.0.0.1:2/", "http://127.0.0.1:3/"]}))
    assert await addresses.look_up() == ("http://127.0.0.1:2/", "http://127.0.0.1:3/")

    listing.write_text('{"tone": ["http')  # caught in the middle of being written
    assert await addresses.look_up() == ("http://127.0.0.1:2/", "http://127.0.0.1:3/")


async def test_encrypted_address_keeps_its_name():
    """A certificate is for a name."""
    assert await Addresses("tone", "https://tone/", resolve=names).look_up() == ("https://tone/",)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_one_replica(host):
    """Even where its name has addresses of two families."""
    assert await resolve(host, 80) == ["127.0.0.1"]
