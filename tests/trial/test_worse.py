"""The real trial between real model servers: one as it is, one built worse on purpose."""

from collections.abc import Iterator

import pytest

from darkroom.trial.__main__ import is_admitted
from darkroom.trial.replica import Replica
from darkroom.trial.verdict import Limits
from handlers.build import STORE
from tests.trial.servers import tone_server
from tests.trial.worse import DARKER, FAILING, SLOWER, build_worse_tone

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ts")  # the path of a worker's socket must be short


@pytest.fixture(scope="module")
def established(folder) -> Iterator[Replica]:
    with tone_server(folder, STORE, 2) as replica:
        yield replica


@pytest.fixture(scope="module")
def worse_store(tmp_path_factory):
    return build_worse_tone(tmp_path_factory.mktemp("worse"))


@pytest.mark.parametrize(
    ("way", "fault"), [("", ""), (DARKER, "darker"), (SLOWER, "slower"), (FAILING, "wrong answers")]
)
def test_what_is_worse_is_refused(folder, established, worse_store, way, fault, capsys):
    """Darker by 3 dB, three times as slow, one photo of fifty lost; else it may serve."""
    with tone_server(folder, worse_store, 3, way) as newcomer:
        admitted = is_admitted("tone", newcomer, [established.url], Limits())

    said = capsys.readouterr().out
    assert admitted == (not fault), said
    assert fault in said
    print(said)
