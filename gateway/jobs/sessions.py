"""Each change of a session's jobs takes its next number, which those who follow it are told."""

from typing import LiteralString

from gateway.jobs.database import Connection

CHANNEL: LiteralString = "darkroom_jobs"  # notified with a session's digest when a job changes


async def bump(connection: Connection, session: bytes) -> int:
    """The next version of a session; its row is held and listeners told at the commit."""
    row = await connection.execute(
        "INSERT INTO sessions (session, version) VALUES (%s, 1)"
        " ON CONFLICT (session) DO UPDATE SET version = sessions.version + 1 RETURNING version",
        (session,),
    )
    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, session.hex()))
    found = await row.fetchone()
    assert found is not None
    return int(found["version"])
