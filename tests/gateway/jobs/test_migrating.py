"""Migrations: each applied once, none changed afterwards."""

import asyncio
import shutil

import psycopg
import pytest

from gateway.jobs.migrating import OURS, MigrationChanged, migrate


@pytest.fixture
async def connection(database_url):
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


async def test_migrated_database_is_left_alone(connection):
    """The second time there is nothing to do."""
    assert await migrate(connection) == []


async def test_new_migration_is_applied_once(connection, tmp_path):
    """A database of an earlier version gets the file it lacks."""
    folder = shutil.copytree(OURS, tmp_path / "migrations")
    (folder / "0002_more.sql").write_text("CREATE TABLE more (id int)")

    assert await migrate(connection, folder) == ["0002_more.sql"]
    assert await migrate(connection, folder) == []


async def test_changed_migration_is_refused(connection, tmp_path):
    """A file that this database has had in other words stops the start."""
    folder = shutil.copytree(OURS, tmp_path / "migrations")
    first = folder / "0001_jobs.sql"
    first.write_text(first.read_text() + "-- and another thought")

    with pytest.raises(MigrationChanged, match="0001_jobs"):
        await migrate(connection, folder)


async def test_several_at_once_migrate_one_after_the_other(postgres):
    """Gateway and workers that start together on an empty database do not collide."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty TEMPLATE template0")
    url = postgres.url.replace("/postgres?", "/empty?")

    async def one() -> list[str]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await migrate(connection)

    applied = await asyncio.gather(*(one() for _ in range(3)))

    assert sorted(map(bool, applied)) == [False, False, True]
