import logging

import pytest

from tests.handlers.fakes import FakeArchive, FakeHandler


@pytest.fixture(autouse=True)
def _loud_again():
    """A handler quietens its whole process once it is ready; here that is pytest's."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.fixture
def archive(tmp_path):
    return FakeArchive(tmp_path)


@pytest.fixture
def start(archive):
    """A handler of the fake archive, ready to answer; its calls are counted from now on."""

    def started(handler=None):
        handler = handler or FakeHandler()
        handler.initialize(archive)
        if isinstance(handler, FakeHandler):
            handler.calls.clear()
        return handler

    return started
