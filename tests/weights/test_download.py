import socket

import numpy as np
import pytest

from darkroom.weights.download import FetchError, download
from tests.weights.file_server import serving

CONTENT = np.random.default_rng(0).bytes(3_000_000)


@pytest.fixture
def server():
    with serving(CONTENT) as running:
        yield running


def test_a_file_arrives_whole(server, tmp_path):
    """Every byte, with progress up to the last one."""
    seen = []

    download(server.url, tmp_path / "part", len(CONTENT), seen.append)

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_broken_connection_is_resumed(server, tmp_path):
    """What has arrived is kept: the second request asks for the rest alone."""
    server.breaks_after = [1_000_000]

    download(server.url, tmp_path / "part", len(CONTENT))

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=1000000-"]


def test_an_interrupted_command_goes_on_where_it_was(server, tmp_path):
    """A server that keeps breaking off ends the command, the next one resumes."""
    server.breaks_after = [500_000] * 3
    with pytest.raises(FetchError, match="1,500,000 of 3,000,000 bytes are kept"):
        download(server.url, tmp_path / "part", len(CONTENT))

    download(server.url, tmp_path / "part", len(CONTENT))

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=1500000-"


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    """Nothing is appended to what such a server sends from the beginning."""
    server.knows_ranges = False
    (tmp_path / "part").write_bytes(CONTENT[:1_000_000])

    download(server.url, tmp_path / "part", len(CONTENT))

    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_complete_file_is_not_asked_for(server, tmp_path):
    """All bytes are there from last time: no request."""
    (tmp_path / "part").write_bytes(CONTENT)

    download(server.url, tmp_path / "part", len(CONTENT))

    assert server.ranges == []


def test_a_file_of_another_size_is_refused_at_once(server, tmp_path):
    """A page of apology in place of the file: said by kind and size, nothing is kept."""
    server.content, server.media_type = b"<html>Sorry</html>", "text/html"

    with pytest.raises(FetchError, match="18 bytes of text/html"):
        download(server.url, tmp_path / "part", len(CONTENT))

    assert not (tmp_path / "part").exists()


def test_another_part_than_the_one_asked_for_is_refused(server, tmp_path):
    """What has arrived is kept as it is, and nothing put behind it that does not follow."""
    (tmp_path / "part").write_bytes(CONTENT[:100])
    server.skips = 1

    with pytest.raises(FetchError, match="another part"):
        download(server.url, tmp_path / "part", len(CONTENT))

    assert (tmp_path / "part").read_bytes() == CONTENT[:100]


def test_a_refusal_is_said_with_its_status(server, tmp_path):
    """404 is no reason to try again."""
    server.status = 404

    with pytest.raises(FetchError, match="404"):
        download(server.url, tmp_path / "part", len(CONTENT))

    assert len(server.ranges) == 1


def test_nobody_there_is_said_plainly(tmp_path):
    """An address where nothing listens ends with a sentence, not with a traceback."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/weights.pth"

        with pytest.raises(FetchError, match="0 of 100 bytes"):
            download(url, tmp_path / "part", 100)
