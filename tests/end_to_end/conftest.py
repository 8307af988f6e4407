"""One real cluster for all end-to-end tests, and clients to it."""

from collections.abc import Iterator

import pytest

from darkroom import Darkroom
from tests.end_to_end.running import RunningCluster, running_cluster


@pytest.fixture(scope="session")
def session_cluster(tmp_path_factory) -> Iterator[RunningCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.wait_for("Ctrl-C stops it")
        yield cluster


@pytest.fixture
def cluster(session_cluster: RunningCluster) -> RunningCluster:
    """The cluster, ready: an earlier test may have killed parts of it."""
    session_cluster.wait_until(session_cluster.is_ready)
    return session_cluster


@pytest.fixture
def darkroom(cluster: RunningCluster) -> Iterator[Darkroom]:
    with Darkroom(cluster.url) as darkroom:
        yield darkroom
