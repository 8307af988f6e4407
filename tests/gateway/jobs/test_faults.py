"""Processes killed in the middle of it all: nothing lost, nothing done twice, nobody disturbed."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from gateway.jobs import database
from tests.gateway.photos import a_form, a_photo
from tests.gateway.replica import Behaviour, Replica

MOST_S = 360.0  # bounds a hang
PHOTOS = [a_photo(seed=seed, size=(16, 12)) for seed in range(40)]


async def submit_many(jobs, count: int) -> str:
    """The id of an order of so many photos."""
    form = aiohttp.FormData()
    for number in range(count):
        form.add_field("file", PHOTOS[number % len(PHOTOS)], filename=f"{number}.jpg")
    status, order = await jobs.call("POST", data=form)
    assert status == 201, order
    return str(order["id"])


async def completed(jobs, order: str, most: int) -> None:
    """Wait until so many jobs of an order are done."""
    async with asyncio.timeout(300):
        while (await jobs.get(f"/{order}"))["completed"] < most:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def after(seconds: float, replica: Replica) -> Behaviour:
    """The replica's ordinary answer, later."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await replica._answer(request)

    return answer


def check_each_done_once(jobs, order: dict[str, object], count: int) -> None:
    assert (order["total"], order["completed"]) == (count, count)
    names = Counter(image["name"] for image in order["images"])  # type: ignore[attr-defined]
    assert names == Counter(f"{number}.jpg" for number in range(count))
    kept = jobs.rows("SELECT count(DISTINCT result_key) AS results FROM jobs")
    assert kept == [{"results": count}]


async def test_forty_jobs_survive_a_killed_worker_and_the_databases_restart(
    start_jobs, start_process, replica, postgres
):
    """Four workers, one of them killed, PostgreSQL restarted meanwhile: 40 of 40, each once."""
    jobs = await start_jobs(job_attempts=20)
    replica.behaviours["tone"] = after(0.05, replica)
    order = await submit_many(jobs, 40)
    workers = [start_process(jobs) for _ in range(4)]

    await completed(jobs, order, 5)
    workers[0].kill()
    await completed(jobs, order, 12)
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)

    check_each_done_once(jobs, await jobs.ended(order, within_s=180), 40)


async def test_photos_are_mended_while_the_database_is_away(jobs, postgres):
    """/enhance_image does not notice; /api/images answers 503 with a problem document."""
    await jobs.submit()
    await asyncio.to_thread(postgres.stop)
    try:
        form = a_form(image=a_photo())
        async with jobs.http.post(f"{jobs.url}/enhance_image", data=form) as reply:
            assert reply.status == 200
        async with asyncio.timeout(20):
            status, problem = await jobs.call("GET")
            assert (status, problem["code"]) == (503, "jobs_unavailable")
            assert (await jobs.call("POST", data=a_form(file=a_photo())))[0] == 503
        assert len(jobs.objects()) == 1  # nothing of what was refused
        async with jobs.http.get(f"{jobs.url}/readyz") as reply:
            ready = await reply.json()
        assert ready["ready"] is True
        assert ready["jobs"]["database"] == "jobs_unavailable"
    finally:
        await asyncio.to_thread(postgres.start)
    assert len((await jobs.get(""))["images"]) == 1


async def test_gateway_without_a_database_says_so(start_jobs, tmp_path):
    """No address and no embedded server: 503, and the photo is not kept."""
    jobs = await start_jobs(database_url="", data_folder=tmp_path / "nothing")

    status, problem = await jobs.call("POST", data=a_form(file=a_photo()))

    assert (status, problem["code"]) == (503, "jobs_unavailable")
    assert jobs.objects() == []


@pytest.fixture
async def hanging_database() -> AsyncIterator[str]:
    """The address of one that takes connections and never answers."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    yield f"postgresql://u@127.0.0.1:{server.sockets[0].getsockname()[1]}/d"
    server.close()
    for writer in held:
        writer.close()
        await writer.wait_closed()
    assert held


async def test_database_that_hangs_holds_nobody_up(start_jobs, hanging_database):
    """Jobs are 503, photos are mended, /readyz is ready."""
    jobs = await start_jobs(database_url=hanging_database)
    async with asyncio.timeout(60):
        waiting = asyncio.create_task(jobs.call("POST", data=a_form(file=a_photo())))
        form = a_form(image=a_photo())
        async with jobs.http.post(f"{jobs.url}/enhance_image", data=form) as reply:
            assert reply.status == 200
            assert not waiting.done()
        assert (await waiting)[0] == 503
        async with jobs.http.get(f"{jobs.url}/readyz") as reply:
            assert (await reply.json())["ready"] is True


async def test_readiness_does_not_wait_for_the_database(start_jobs, hanging_database, monkeypatch):
    """However long a connection may take, /readyz gives up and says that there are no jobs."""
    monkeypatch.setattr(database, "CONNECT_S", 3600)
    jobs = await start_jobs(database_url=hanging_database)

    for _ in range(2):
        async with asyncio.timeout(60), jobs.http.get(f"{jobs.url}/readyz") as reply:
            answer = await reply.json()
        assert answer["jobs"] == {"database": "jobs_unavailable", "worker": "jobs_unavailable"}


async def test_counts_and_ages_of_jobs_are_told(jobs):
    """Prometheus sees how many jobs wait and how old the oldest is."""
    await jobs.submit()

    async with jobs.http.get(f"{jobs.url}/metrics") as reply:
        lines = (await reply.text()).splitlines()

    assert 'darkroom_jobs{status="pending"} 1.0' in lines
    assert any(line.startswith('darkroom_jobs_oldest_seconds{status="pending"} ') for line in lines)


@pytest.mark.faults
async def test_two_hundred_jobs_survive_random_kills(start_jobs, start_process, replica, postgres):
    """Four workers, one killed again and again, PostgreSQL restarted: 200 of 200, each once."""
    jobs = await start_jobs(job_attempts=50)
    replica.behaviours["tone"], chance = after(0.1, replica), random.Random(1)
    order = await submit_many(jobs, 200)
    workers = [start_process(jobs) for _ in range(4)]

    done = kills = 0
    async with asyncio.timeout(MOST_S):
        while (done := done + chance.randint(5, 25)) < 200:
            await completed(jobs, order, done)
            place, kills = chance.randrange(4), kills + 1
            workers[place].kill()
            workers[place] = start_process(jobs)
            if kills == 6:
                await asyncio.to_thread(postgres.stop)
                await asyncio.to_thread(postgres.start)
        ended = await jobs.ended(order, within_s=MOST_S)

    print(f"{kills} workers killed")
    check_each_done_once(jobs, ended, 200)
