"""`benchmark/stealing.py`: measurements are repeated until little was stolen from the machine."""

from types import SimpleNamespace

import pytest

from benchmark import stealing
from benchmark.stealing import LITTLE, stolen_s, undisturbed


@pytest.fixture
def machine(monkeypatch):
    """A machine from which so many cores are stolen during each piece of work, in this order."""
    stolen, now = [0.0], [100.0]

    def work_while_stealing(*cores):
        coming = iter(cores)

        async def work():
            now[0] += 2
            loss = next(coming)
            stolen[0] += 2 * loss
            return f"work at {loss}"

        return work

    monkeypatch.setattr(stealing, "stolen_s", lambda: stolen[0])
    monkeypatch.setattr(stealing, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return work_while_stealing


async def test_first_quiet_work_counts(machine):
    """What was measured while much was stolen is measured again, and then no more."""
    outcome, cores = await undisturbed(machine(0.5, 0.3, LITTLE / 2, 0.0))
    assert (outcome, round(cores, 3)) == (f"work at {LITTLE / 2}", LITTLE / 2)


async def test_least_disturbed_work_counts_where_none_is_quiet(machine):
    """After as many tries as allowed the best is taken, and says how good it was."""
    outcome, cores = await undisturbed(machine(0.5, 0.2, 0.9, 0.0), tries=3)
    assert (outcome, round(cores, 3)) == ("work at 0.2", 0.2)


def test_stolen_time_never_shrinks():
    """The count is the system's, from its start on."""
    before = stolen_s()
    assert 0 <= before <= stolen_s()
