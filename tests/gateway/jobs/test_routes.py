"""`/api/images`: photos taken, looked up, listed, fetched and deleted."""

import asyncio

import aiohttp

from tests.gateway.photos import a_form, a_photo, brightness
from tests.gateway.replica import a_diagnosis


async def test_photo_goes_from_pending_to_completed(jobs, work):
    """A photo is taken at once as pending; a worker completes it with a brighter result."""
    job = await jobs.submit(a_photo(size=(80, 60)))
    assert job["status"] == "pending"
    assert {"id", "createdAt", "originalUrl"} <= job.keys()
    assert job["resultUrl"] is None

    work(jobs)
    ended = await jobs.ended(job["id"])

    assert ended["status"] == "completed"
    assert (ended["width"], ended["height"], ended["attempts"]) == (80, 60, 1)
    assert ended["report"]["steps"][0]["enhancer"] == "tone"
    assert ended["timings"]["workingMs"] > 0
    result = await jobs.get(ended["resultUrl"].removeprefix("/api/images"))
    assert brightness(result) > brightness(a_photo(size=(80, 60))) + 30


async def test_result_of_a_photo_with_nothing_to_mend_is_the_original(jobs, work, replica):
    """`changed` is false and the result can be fetched all the same, byte for byte."""
    replica.diagnosis = a_diagnosis()
    photo = a_photo("PNG")
    work(jobs)

    job = await jobs.ended((await jobs.submit(photo))["id"])

    assert job["changed"] is False
    assert await jobs.get(f"/{job['id']}/result") == photo


async def test_named_defect_is_fixed_with_its_options(jobs, work, replica):
    """The options of an operation reach the model server, and are told again with the job."""
    work(jobs)
    given = {"operation": "fix_defect", "defect_to_fix": "hazy", "strength": "0.5"}

    job = await jobs.ended((await jobs.submit(**given))["id"])

    assert job["status"] == "completed"
    assert job["options"] == {"defect_to_fix": "hazy", "strength": 0.5}
    assert '"hazy":1.0' in replica.seen[-1][1]["X-Darkroom-Step"]


async def test_many_files_are_one_order_with_one_progress(jobs, work):
    """Three files make an order; its counts add up and its images keep the files' order."""
    form = aiohttp.FormData()
    for seed in range(3):
        form.add_field("file", a_photo(seed=seed), filename=f"{seed}.jpg")
    status, order = await jobs.call("POST", data=form)
    assert (status, order["total"], order["pending"]) == (201, 3, 3)

    work(jobs)
    ended = await jobs.ended(order["id"])

    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 3, 0)
    assert [image["name"] for image in ended["images"]] == ["0.jpg", "1.jpg", "2.jpg"]


async def test_photo_is_run_again_without_another_upload(jobs, work):
    """`source` names an earlier job: the same photo, other options, no bytes sent or kept twice."""
    work(jobs)
    first = await jobs.ended((await jobs.submit())["id"])

    form = a_form(source=first["id"], operation="fix_defect", defect_to_fix="low_light")
    status, again = await jobs.call("POST", data=form)

    assert status == 201
    assert again["id"] != first["id"]
    assert (await jobs.ended(again["id"]))["status"] == "completed"
    assert len([p for p in jobs.objects() if "originals" in p.parts]) == 1


async def test_twenty_equal_posts_are_one_job(jobs):
    """Twenty posts at once with one key: one id, one row, one photo in storage."""
    answers = await asyncio.gather(*(jobs.submit(key="the-key") for _ in range(20)))

    assert len({job["id"] for job in answers}) == 1
    assert jobs.rows("SELECT count(*) FROM jobs") == [{"count": 1}]
    assert len(jobs.objects()) == 1


async def test_key_stands_for_one_request(jobs):
    """Another photo under the same key is refused, and nothing of it stays."""
    await jobs.submit(key="the-key")

    form = a_form(file=a_photo(seed=2))
    status, problem = await jobs.call("POST", data=form, headers={"Idempotency-Key": "the-key"})

    assert (status, problem["code"]) == (422, "key_reused")
    assert len(jobs.objects()) == 1


async def test_keys_of_two_sessions_are_two(jobs):
    """A key is the session's own: another's equal key neither clashes nor tells of it."""
    mine = await jobs.submit(key="the-key")
    others = await jobs.other_session().submit(key="the-key")

    assert mine["id"] != others["id"]


async def test_listing_shows_a_sessions_jobs_page_by_page(jobs):
    """Newest first; `next` leads through all of them, and only this session's are there."""
    await jobs.other_session().submit()
    ids = [(await jobs.submit(a_photo(seed=seed)))["id"] for seed in range(3)]

    first = await jobs.get("?limit=2")
    second = await jobs.get(f"?limit=2&before={first['next']}")

    assert [job["id"] for job in first["images"] + second["images"]] == ids[::-1]
    assert second["next"] is None


async def test_another_session_finds_nothing(jobs, work):
    """With a job's or an order's id in hand a stranger gets what a made-up id gets."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])
    stranger = jobs.other_session()

    for path in ("", "/original", "/result", "/events"):
        for id_ in (job["id"], job["orderId"]):
            status, problem = await stranger.call("GET", f"/{id_}{path}")
            made_up, same = await stranger.call("GET", f"/{'0' * 32}{path}")
            assert (status, problem["code"]) == (made_up, same["code"]) == (404, "not_found")
            assert problem["detail"] == same["detail"]


async def test_another_session_deletes_runs_and_lists_nothing(jobs):
    """A stranger's DELETE and `source` do not reach the job, and no listing shows it."""
    job, stranger = await jobs.submit(), jobs.other_session()

    assert (await stranger.call("DELETE", f"/{job['id']}"))[0] == 404
    assert (await stranger.call("POST", data=a_form(source=job["id"])))[0] == 404
    assert (await stranger.get(""))["images"] == []
    assert (await jobs.get(f"/{job['id']}"))["id"] == job["id"]


async def test_delete_leaves_no_rows_and_no_bytes(jobs, work):
    """After DELETE the database has no word of the photo and storage not a byte."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])
    assert len(jobs.objects()) == 2

    assert (await jobs.call("DELETE", f"/{job['id']}"))[0] == 204

    assert jobs.objects() == []
    for table in ("jobs", "orders", "photos"):
        assert jobs.rows(f"SELECT count(*) FROM {table}") == [{"count": 0}]
    assert (await jobs.call("GET", f"/{job['id']}"))[0] == 404


async def test_photo_shared_by_two_jobs_stays_until_both_are_deleted(jobs):
    """Deleting one run keeps the photo for the other; deleting that too removes it."""
    first = await jobs.submit()
    _, again = await jobs.call("POST", data=a_form(source=first["id"]))

    await jobs.call("DELETE", f"/{first['id']}")
    assert len(jobs.objects()) == 1
    await jobs.call("DELETE", f"/{again['id']}")
    assert jobs.objects() == []


async def test_whole_order_is_deleted_under_its_id(jobs):
    """DELETE of an order removes each of its jobs."""
    job = await jobs.submit()

    assert (await jobs.call("DELETE", f"/{job['orderId']}"))[0] == 204
    assert (await jobs.get(""))["images"] == []


async def test_result_is_not_found_before_it_is_there(jobs):
    """The result of a waiting job is 404 with a code of its own, so that clients ask again."""
    job = await jobs.submit()

    status, problem = await jobs.call("GET", f"/{job['id']}/result")

    assert (status, problem["code"]) == (404, "not_finished")


async def test_browser_gives_the_session_in_the_query(jobs):
    """What an <img> asks for needs no header; a stranger's session in the query finds nothing."""
    photo = a_photo()
    job = await jobs.submit(photo)

    async def fetch(session: str) -> tuple[int, bytes]:
        url = f"{jobs.url}{job['originalUrl']}?session={session}"
        async with jobs.http.get(url) as reply:
            return reply.status, await reply.read()

    assert await fetch(jobs.session) == (200, photo)
    assert (await fetch("somebody-else"))[0] == 404


async def test_download_has_the_photos_name(jobs):
    """With download=1 the answer is a file to save, named as it was sent."""
    form = aiohttp.FormData(quote_fields=False)  # as browsers do
    form.add_field("file", a_photo(), filename="Küche.jpg")
    _, job = await jobs.call("POST", data=form)

    url = f"{jobs.url}{job['originalUrl']}?download=1"
    async with jobs.http.get(url, headers=jobs.headers) as reply:
        assert reply.headers["Content-Disposition"] == "attachment; filename*=UTF-8''K%C3%BCche.jpg"
