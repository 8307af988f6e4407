"""`…/events`: what a browser's EventSource receives."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp

from gateway.jobs.database import Database
from gateway.jobs.progress import Progress, Result
from gateway.jobs.store import Store
from tests.gateway.photos import a_form, a_photo

HANG_S = 180.0  # an idle machine takes one or two; on a busy one tries fail and are made again


@asynccontextmanager
async def stream(jobs, path: str, last: str = "") -> AsyncIterator[aiohttp.StreamReader]:
    """An open stream of events; `last` is the id of the last one that its client has seen."""
    headers = jobs.headers | ({"Last-Event-ID": last} if last else {})
    url = f"{jobs.url}/api/images{path}"
    async with asyncio.timeout(HANG_S), jobs.http.get(url, headers=headers) as reply:
        assert reply.status == 200, await reply.read()
        assert reply.content_type == "text/event-stream"
        yield reply.content


async def events(jobs, path: str, last: str = "") -> list[tuple[str, int, Any]]:
    """(event, id, data) of a stream that ends by itself."""
    async with stream(jobs, path, last) as content:
        return parsed((await content.read()).decode())


async def first_event(content: aiohttp.StreamReader) -> list[tuple[str, int, Any]]:
    """The first of an open stream, as soon as it comes."""
    while not (found := parsed((await content.readuntil(b"\n\n")).decode())):
        continue  # `retry` and comments are no events
    return found


def parsed(text: str) -> list[tuple[str, int, Any]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
              for block in text.split("\n\n") if block.strip()]  # fmt: skip
    return [(b["event"], int(b["id"]), json.loads(b["data"])) for b in blocks if "event" in b]


async def test_stream_follows_a_job_to_its_end(jobs, work):
    """The present state at once, each change as it happens, then `end`."""
    job = await jobs.submit()
    async with stream(jobs, f"/{job['id']}/events") as content:
        found = await first_event(content)
        work(jobs)
        found += parsed((await content.read()).decode())

    statuses = [data["status"] for name, _, data in found if name == "job"]
    assert statuses[0] == "pending"
    assert statuses[-1] == "completed"
    assert found[-1][0] == "end"
    numbers = [number for _, number, _ in found]
    assert numbers == sorted(numbers)


async def test_order_tells_its_progress(jobs, work):
    """An order's stream counts up to its total and ends with the last job."""
    form = a_form(file=a_photo())
    form.add_field("file", a_photo(seed=2), filename="2.jpg")
    _, order = await jobs.call("POST", data=form)
    work(jobs)

    found = await events(jobs, f"/{order['id']}/events")

    done = [data["completed"] for name, _, data in found if name == "order"]
    assert done == sorted(done)
    assert done[-1] == 2


async def test_job_that_ends_between_two_questions_is_told(jobs, monkeypatch):
    """The stream's last word on a job is how it ended, though it ended while news was gathered."""
    job = await jobs.submit()
    database = Database(jobs.settings.database_url, jobs.settings.database_folder)
    progress, ask = Progress(database), Store.changed_since

    async def then_it_ends(store, *asked):
        news = await ask(store, *asked)
        if begun := await progress.begin(UUID(job["id"])):
            await progress.complete(begun, Result(None, None, {}))
        return news

    monkeypatch.setattr(Store, "changed_since", then_it_ends)
    found = await events(jobs, f"/{job['id']}/events")
    await database.close()

    assert [data["status"] for name, _, data in found if name == "job"] == ["pending", "completed"]


async def test_client_that_comes_back_hears_only_what_is_new(jobs, work):
    """With the last event's id only later changes are sent."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])
    first = await events(jobs, f"/{job['id']}/events")

    again = await events(jobs, f"/{job['id']}/events", last=str(first[-1][1]))

    assert [name for name, _, _ in first] == ["job", "order", "end"]
    assert [name for name, _, _ in again] == ["end"]


async def test_rubbish_as_last_event_id_means_the_beginning(jobs, work):
    """What is no number of ours is not an error: the stream starts with the present state."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])

    for rubbish in ("-1", "1e9", "x" * 5000, "9" * 30, "\u0663", "999999999", "'; --"):
        found = await events(jobs, f"/{job['id']}/events", last=rubbish)
        assert [name for name, _, _ in found] == ["job", "order", "end"], rubbish


async def test_sessions_stream_tells_of_new_jobs_and_of_no_stranger(jobs):
    """A stream opened before the upload hears of it; another session's upload is not told."""
    url = f"{jobs.url}/api/images/events?session={jobs.session}"
    async with asyncio.timeout(HANG_S), jobs.http.get(url) as reply:
        assert b"retry" in await reply.content.readuntil(b"\n\n")
        await jobs.other_session().submit()
        mine = await jobs.submit()
        _, _, data = parsed((await reply.content.readuntil(b"\n\n")).decode())[0]

    assert data["id"] == mine["id"]


async def test_stream_outlives_the_databases_restart(jobs, work, postgres):
    """PostgreSQL goes and comes back: an open stream still tells of the job's end."""
    job = await jobs.submit()
    async with stream(jobs, f"/{job['id']}/events") as content:
        await first_event(content)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        work(jobs)

        assert parsed((await content.read()).decode())[-1][0] == "end"
