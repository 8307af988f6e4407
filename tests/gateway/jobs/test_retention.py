"""Deletion by age, with the clock passed in."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.jobs.database import Database
from gateway.jobs.retention import remove_old
from gateway.jobs.storage import Storage

WEEK = timedelta(days=7)


@pytest.fixture
async def remove(jobs):
    """Deletes what is older than a week at a moment that the test chooses."""
    settings = jobs.settings
    database = Database(settings.database_url, settings.database_folder)
    storage = Storage(settings.storage_url, settings.photos_folder)

    async def at(now: datetime) -> int:
        return await remove_old(database, storage, WEEK, now)

    yield at
    await database.close()


async def test_photos_go_at_their_age_and_not_before(jobs, work, remove):
    """A minute before a week everything is there; a minute after it no row and no byte."""
    work(jobs)
    job = await jobs.ended((await jobs.submit())["id"])
    now = datetime.now(UTC)

    assert await remove(now + WEEK - timedelta(minutes=1)) == 0
    assert (await jobs.get(f"/{job['id']}"))["status"] == "completed"

    assert await remove(now + WEEK + timedelta(minutes=1)) == 2
    assert jobs.objects() == []
    for table in ("jobs", "orders", "photos", "sessions"):
        assert jobs.rows(f"SELECT count(*) FROM {table}") == [{"count": 0}]


async def test_bytes_without_a_row_go_too(jobs, remove):
    """What a crash between storage and database left behind is found by its age."""
    kept = await jobs.submit()
    lost = jobs.settings.photos_folder / "originals" / "3f2b1a58-0000-4000-8000-000000000000"
    lost.write_bytes(b"left over")
    jobs.rows("UPDATE jobs SET created_at = created_at + interval '8 days' RETURNING 1")

    await remove(datetime.now(UTC) + WEEK + timedelta(minutes=1))

    assert not lost.exists()
    assert len(jobs.objects()) == 1
    assert (await jobs.get(f"/{kept['id']}"))["status"] == "pending"
