"""Deletes what is older than it may be: jobs, orders, photos, and bytes that nobody refers to."""

from datetime import datetime, timedelta

from gateway.jobs.database import Connection, Database
from gateway.jobs.storage import Storage, original_key, vote_of
from gateway.jobs.store import remove_unused

_AT_ONCE = 500


async def remove_old(database: Database, storage: Storage, age: timedelta, now: datetime) -> int:
    """Delete jobs taken longer than `age` ago with all their bytes; how many objects went.

    Objects of that age without a row are left over from a crash or a store that was away when
    their job was deleted: they go too. An upload in progress is younger than any sensible age.
    """
    moment = now - age
    async with database.transaction() as connection:
        rows = await connection.execute(
            "DELETE FROM jobs WHERE created_at < %s RETURNING result_key", (moment,)
        )
        keys = [row["result_key"] for row in await rows.fetchall() if row["result_key"]]
        keys += await remove_unused(connection, None)
        await connection.execute(
            "DELETE FROM sessions WHERE NOT EXISTS"
            " (SELECT FROM orders WHERE orders.session = sessions.session)"
        )
    await storage.delete(keys)
    old = [key async for key in storage.older_than(moment)]
    for start in range(0, len(old), _AT_ONCE):
        async with database.transaction() as connection:
            left = await _without_rows(connection, old[start : start + _AT_ONCE])
        await storage.delete(left)
        keys += left
    return len(keys)


async def _without_rows(connection: Connection, keys: list[str]) -> list[str]:
    rows = await connection.execute(
        "SELECT id::text FROM photos WHERE id::text = ANY(%s)",
        ([key.rpartition("/")[2] for key in keys],),
    )
    used = {original_key(row["id"]) for row in await rows.fetchall()}
    rows = await connection.execute(
        "SELECT result_key FROM jobs WHERE result_key = ANY(%s)", (keys,)
    )
    used |= {row["result_key"] for row in await rows.fetchall()}
    rows = await connection.execute(
        "SELECT id FROM votes WHERE id::text = ANY(%s)", ([vote_of(key) for key in keys],)
    )
    votes = {str(row["id"]) for row in await rows.fetchall()}  # which stay until they are deleted
    used |= {key for key in keys if vote_of(key) in votes}
    return [key for key in keys if key not in used]
