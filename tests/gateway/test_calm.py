"""`gateway/calm.py`: jobs keep off while clients are about, though not for ever."""

import asyncio

from darkroom.contracts.headers import PRIORITY
from darkroom.contracts.jobs import JOB_PRIORITY
from gateway import app as application
from gateway.calm import Calm
from tests.gateway.photos import a_photo

LONG_S = 3600.0
BOUND_S = 30  # against hanging


async def test_lone_job_begins_at_once():
    """Clients are about, but no job has begun of late."""
    calm = Calm(LONG_S, LONG_S, LONG_S)
    calm.disturb()

    async with asyncio.timeout(BOUND_S):
        await calm.wait()


async def test_second_job_waits_until_clients_have_been_quiet():
    """However long its turn is off, it goes on once the last client's photo is long enough ago."""
    calm = Calm(0.02, LONG_S, LONG_S)
    calm.disturb()

    async with asyncio.timeout(BOUND_S):
        await calm.wait()
        await calm.wait()


async def test_jobs_begin_one_by_one():
    """Clients never leave: each job has its turn, a pace after the one before."""
    now = [0.0]
    calm = Calm(LONG_S, 0.02, LONG_S, clock=lambda: now[0])
    calm.disturb()
    await calm.wait()
    jobs = [asyncio.create_task(calm.wait()) for _ in range(2)]

    for begun, now[0] in enumerate((0.01, 0.03, 0.06)):
        await asyncio.sleep(0.1)
        assert sum(job.done() for job in jobs) == begun


async def test_each_client_puts_jobs_off():
    """A client that comes while a job waits counts like those before it."""
    now = [0.0]
    calm = Calm(0.02, LONG_S, LONG_S, clock=lambda: now[0])
    await calm.wait()
    calm.disturb()
    job = asyncio.create_task(calm.wait())
    await asyncio.sleep(0)
    now[0] = 0.01
    calm.disturb()
    now[0] = 0.02
    await asyncio.sleep(0.05)

    assert not job.done()
    now[0] = 0.03
    async with asyncio.timeout(BOUND_S):
        await job


async def test_no_job_waits_longer_than_its_patience():
    """Clients who never leave and turns that never come hold nothing up for good."""
    calm = Calm(LONG_S, LONG_S, 0.02)
    calm.disturb()

    async with asyncio.timeout(BOUND_S):
        await calm.wait()
        await calm.wait()


async def test_breath_is_taken_beside_clients_alone():
    """With none about, an order is taken in without a pause."""
    calm, turns = Calm(LONG_S), []
    other = asyncio.create_task(asyncio.sleep(0))
    other.add_done_callback(lambda _: turns.append("another's"))

    await calm.breathe()
    turns.append("ours")
    calm.disturb()
    await calm.breathe()

    assert turns == ["ours", "another's"]


class Watched(Calm):
    """One job's turn, and never calm once a client has come; says when a job begins to wait."""

    def __init__(self) -> None:
        super().__init__(LONG_S, LONG_S, LONG_S)
        self.waited_for = asyncio.Event()

    async def wait(self) -> None:
        self.waited_for.set()
        await super().wait()


async def test_clients_pass_a_job_that_waits(gateway, replica, monkeypatch):
    """After a client's photo nothing of a job reaches a model server; the next client's does."""
    calm = Watched()
    await calm.wait()
    calm.waited_for.clear()
    monkeypatch.setattr(application, "Calm", lambda: calm)
    client = await gateway()
    async with client.post("/diagnose", data=a_photo(seed=1)):
        pass
    job = asyncio.create_task(
        client.post("/diagnose", data=a_photo(seed=2), headers={PRIORITY: JOB_PRIORITY})
    )

    async with asyncio.timeout(BOUND_S):
        await calm.waited_for.wait()
        async with client.post("/diagnose", data=a_photo(seed=3)) as reply:
            assert reply.status == 200
    asked = [payload for _, _, payload in replica.seen]
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)

    assert a_photo(seed=3) in asked
    assert a_photo(seed=2) not in asked
