"""The worker: what it does with jobs, with failures, and with its own end."""

import asyncio
import signal

from darkroom.contracts.errors import UnreadablePhoto
from darkroom.contracts.headers import REQUEST_ID
from darkroom.contracts.problem import MEDIA_TYPE, Problem
from gateway.jobs.database import Database
from gateway.jobs.progress import Progress, Result
from tests.gateway.jobs.conftest import QUICK
from tests.gateway.photos import a_photo
from tests.gateway.replica import Held, a_diagnosis, answers, cuts_the_connection, until


async def test_poison_photo_fails_with_its_reason_and_holds_nobody_up(jobs, work, replica):
    """A photo that no model server can read fails at its first try; the next one completes."""
    refusal = Problem.of(UnreadablePhoto("Not a picture at all.")).model_dump_json().encode()
    poison = a_photo(seed=666)

    async def refuse_poison(request):
        photo = await request.read()
        behave = answers(422, refusal, **{"Content-Type": MEDIA_TYPE})
        return await (behave if photo == poison else replica._answer)(request)

    replica.behaviours["defects"] = refuse_poison
    work(jobs, worker_concurrency=1)
    bad, good = await jobs.submit(poison), await jobs.submit(a_photo())

    ended = await jobs.ended(bad["id"])

    assert (ended["status"], ended["attempts"]) == ("failed", 1)
    assert ended["error"]["code"] == "unreadable_photo"
    assert (await jobs.ended(good["id"]))["status"] == "completed"


async def test_failing_model_server_is_tried_again(jobs, work, replica):
    """A model server that is away once costs a try, not the job."""
    failures = 0

    async def fail_until_asked_often(request):
        nonlocal failures
        failures += 1
        return await (cuts_the_connection if failures <= 3 else replica._answer)(request)

    replica.behaviours["defects"] = fail_until_asked_often
    work(jobs)

    ended = await jobs.ended((await jobs.submit())["id"])

    assert ended["status"] == "completed"
    assert ended["attempts"] >= 2


async def test_job_is_given_up_after_its_tries(jobs, work, replica):
    """With every try failing the job ends as failed, with the last error's code."""
    replica.behaviours["defects"] = cuts_the_connection
    work(jobs, job_attempts=2)

    ended = await jobs.ended((await jobs.submit())["id"])

    assert (ended["status"], ended["attempts"]) == ("failed", 2)
    assert ended["error"]["code"] == "replica_unavailable"


async def test_job_has_a_budget_and_an_id_of_its_own(jobs, work, replica):
    """Its requests have more time than a person would wait, and an id that names job and try."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])

    told = replica.seen[-1][1]
    assert told[REQUEST_ID] == f"{job['id']}.1"
    assert float(told["X-Darkroom-Budget-Ms"]) > 1000
    assert job["report"]["budget_ms"] == QUICK["job_budget_ms"]


async def test_killed_workers_job_completes_once_after_a_restart(jobs, start_process, replica):
    """Kill -9 in mid-job: another worker takes the job up and its result is stored once."""
    is_there = asyncio.Event()

    async def hang_once(request):
        if not is_there.is_set():
            is_there.set()
            await asyncio.sleep(60)
        return await replica._answer(request)

    replica.behaviours["tone"] = hang_once
    killed = start_process(jobs)
    job = await jobs.submit()
    async with asyncio.timeout(60):
        await is_there.wait()
    killed.kill()
    start_process(jobs)

    ended = await jobs.ended(job["id"], within_s=60)

    assert (ended["status"], ended["attempts"]) == ("completed", 2)
    assert len([path for path in jobs.objects() if "results" in path.parts]) == 1


async def test_worker_told_to_stop_finishes_the_job_in_hand(jobs, start_process, replica):
    """SIGTERM in mid-job: the job completes at its first try, then the worker ends with 0."""
    held = replica.behaviours["tone"] = Held(replica)
    process = start_process(jobs)
    job = await jobs.submit()
    await held.is_there()
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    held.go_on()

    assert await asyncio.to_thread(process.wait, 30) == 0
    ended = await jobs.get(f"/{job['id']}")
    assert (ended["status"], ended["attempts"]) == ("completed", 1)


async def test_late_result_of_a_worker_thought_dead_is_dropped(jobs):
    """Of two workers on one job only the one that began last can end it."""
    job = await jobs.submit()
    database = Database(jobs.settings.database_url, jobs.settings.database_folder)
    progress = Progress(database)
    (row,) = jobs.rows("SELECT id FROM jobs")
    first = await progress.begin(row["id"])
    second = await progress.begin(row["id"])
    assert first is not None
    assert second is not None

    assert not await progress.complete(first, Result("late", "image/jpeg", None))
    assert await progress.complete(second, Result("right", "image/jpeg", None))
    assert not await progress.complete(second, Result("twice", "image/jpeg", None))
    await database.close()

    assert (await jobs.get(f"/{job['id']}"))["status"] == "completed"
    assert jobs.rows("SELECT result_key FROM jobs") == [{"result_key": "right"}]


async def test_job_deleted_in_mid_work_leaves_nothing(jobs, work, replica):
    """The worker finds its job gone and drops what came back."""
    held = replica.behaviours["tone"] = Held(replica)
    worker = work(jobs)
    job = await jobs.submit()
    await held.is_there()
    await jobs.call("DELETE", f"/{job['id']}")
    held.go_on()

    await until(lambda: not worker._in_hand)
    assert jobs.objects() == []


async def test_single_photo_passes_between_anothers_many(jobs, work, replica):
    """One photo of one session does not wait for the fifteen that another sent before."""
    many = [(await jobs.submit(a_photo(seed=seed)))["id"] for seed in range(15)]
    other = jobs.other_session()
    single = await other.submit()
    replica.diagnosis = a_diagnosis()
    work(jobs, worker_concurrency=1)

    await other.ended(single["id"])
    for id_ in many:
        await jobs.ended(id_)

    order = [str(row["id"]) for row in jobs.rows("SELECT id FROM jobs ORDER BY started_at")]
    assert order.index(single["id"]) <= 2
