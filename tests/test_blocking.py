"""Tests of `darkroom.blocking`: the loop and the thread of its own."""

import asyncio
import subprocess
import sys

import pytest

from darkroom import Darkroom
from tests.fake_service import MENDED, running_service


@pytest.fixture
def service():
    with running_service() as service:
        yield service


async def test_sync_client_works_inside_a_running_loop(service):
    """In a notebook, where a loop is running, the ordinary client works too."""
    with Darkroom(service.url) as darkroom:
        assert (await asyncio.to_thread(darkroom.enhance, b"photo")).photo == MENDED
        assert darkroom.enhance(b"photo").photo == MENDED


def test_client_left_open_ends_quietly(service):
    """A program that never closes its client ends at once and without complaints."""
    program = f"from darkroom import Darkroom; print(Darkroom({service.url!r}).enhance(b'x').photo)"

    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{MENDED!r}\n", "")
