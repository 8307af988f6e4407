"""Brings a database to the shape this version needs: numbered SQL files, each applied once.

A file that has been applied must never change: its SHA-256 is kept and compared. The tables of the
queue are procrastinate's: a new database gets its whole schema, an older one the steps it lacks.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import LiteralString

from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

OURS = Path(__file__).parent / "migrations"
_LOCK = 0x6461726B  # one process migrates at a time
_TABLE: LiteralString = """
    CREATE TABLE IF NOT EXISTS migrations (
        name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationChanged(Exception):
    """A migration that this database has had is no longer what it was."""


async def migrate(connection: AsyncConnection[TupleRow], folder: Path = OURS) -> list[str]:
    """Apply what is missing, all or nothing; the names of what was applied.

    Raises:
        MigrationChanged: the files and the database do not belong together.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await connection.execute(_TABLE)
        rows = await (await connection.execute("SELECT name, sha256 FROM migrations")).fetchall()
        known: dict[str, str] = dict(rows)
        steps = _scripts(Path(SchemaManager.get_migrations_path()), "procrastinate/")
        if not known:
            await connection.execute(SchemaManager.get_schema())
            await _remember(connection, steps.items())
            known = {name: _sha256(script) for name, script in steps.items()}
        ours = _scripts(folder)
        for name, script in ours.items():
            if known.get(name, _sha256(script)) != _sha256(script):
                raise MigrationChanged(f"{name} was changed after it had been applied.")
        missing = {name: script for name, script in (steps | ours).items() if name not in known}
        for script in missing.values():
            await connection.execute(script.encode())
        await _remember(connection, missing.items())
    return [*missing]


def _scripts(folder: Path, prefix: str = "") -> dict[str, str]:
    return {prefix + file.name: file.read_text() for file in sorted(folder.glob("*.sql"))}


def _sha256(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()


async def _remember(
    connection: AsyncConnection[TupleRow], scripts: Iterable[tuple[str, str]]
) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO migrations (name, sha256) VALUES (%s, %s)",
            [(name, _sha256(script)) for name, script in scripts],
        )
