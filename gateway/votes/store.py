"""What votes ask of the database.

Which pair comes next, and which version of it stands on the left, is computed from rows and a hash
of the voter: to look changes nothing, so a page that is left or a gateway that dies blocks nobody,
and a voter who comes back sees the same sides.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import LiteralString
from uuid import UUID, uuid4

from darkroom.contracts.errors import NameTaken, NotFound
from darkroom.contracts.votes import Choice, VoteRequest
from gateway.jobs.database import Connection, Database
from gateway.jobs.rows import Row

LISTED = 100  # open votes at most

_VOTES: LiteralString = """
    SELECT votes.*,
        (SELECT count(*) FROM pairs WHERE vote_id = votes.id) AS pairs,
        (SELECT count(*) FROM versions WHERE vote_id = votes.id AND sha256 IS NULL) AS missing,
        (SELECT count(*) FROM ballots JOIN pairs ON pairs.id = pair_id
            WHERE vote_id = votes.id AND voter = %(voter)s) AS judged
    FROM votes
"""
# The hash's last bit is the side's coin; its first ones order the pairs.
_DRAWN: LiteralString = """
    WITH hashed AS (
        SELECT pairs.*, sha256(votes.salt || uuid_send(pairs.id) || %(voter)s) AS hash
        FROM pairs JOIN votes ON votes.id = vote_id WHERE votes.id = %(vote)s
    ), drawn AS (
        SELECT id, hash,
            CASE get_bit(hash, 255) WHEN 0 THEN first_id ELSE second_id END AS left_id,
            CASE get_bit(hash, 255) WHEN 0 THEN second_id ELSE first_id END AS right_id
        FROM hashed
    )
"""


@dataclass(frozen=True)
class Version:
    """A photo in a variant; without a digest its bytes have not arrived."""

    id: UUID
    vote: UUID
    sha256: bytes | None
    media_type: str | None


class Votes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, request: VoteRequest, owner: bytes) -> bool:
        """Write a vote down with its versions and pairs; false where it is there already.

        Raises:
            NameTaken: by a vote of somebody else, or over other photos or variants.
        """
        vote = uuid4()
        async with self._database.transaction() as connection:
            made = await connection.execute(
                "INSERT INTO votes (id, name, owner, salt, variants, photos)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING",
                (vote, request.name, owner, secrets.token_bytes(16),
                 [*request.variants], [*request.photos]),
            )  # fmt: skip
            if made.rowcount:
                await _write_versions(connection, vote, request)
                return True
            rows = await connection.execute("SELECT * FROM votes WHERE name = %s", (request.name,))
            known = await rows.fetchone()
            if known is None or bytes(known["owner"]) != owner:
                raise NameTaken("There is a vote of this name already.")
            if (*known["variants"],) != request.variants or (*known["photos"],) != request.photos:
                raise NameTaken("Your vote of this name has other photos or variants.")
            return False

    async def open(self, voter: bytes) -> Sequence[Row]:
        """The votes with all their versions, newest first."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _VOTES + "WHERE NOT EXISTS (SELECT FROM versions"
                " WHERE vote_id = votes.id AND sha256 IS NULL)"
                " ORDER BY created_at DESC LIMIT %(limit)s",
                {"voter": voter, "limit": LISTED},
            )
            return await rows.fetchall()

    async def find(self, name: str, voter: bytes) -> Row:
        """A vote. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _VOTES + "WHERE name = %(name)s", {"voter": voter, "name": name}
            )
            return _expected(await rows.fetchone())

    async def delete(self, name: str, owner: bytes) -> UUID:
        """Delete a vote with all its rows; its id. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "DELETE FROM votes WHERE name = %s AND owner = %s RETURNING id", (name, owner)
            )
            id_: UUID = _expected(await rows.fetchone())["id"]
            return id_

    async def version_to_upload(self, name: str, owner: bytes, photo: str, variant: str) -> Version:
        """A version of the owner's vote. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "SELECT versions.* FROM versions JOIN votes ON votes.id = vote_id"
                " WHERE name = %s AND owner = %s AND photo = %s AND variant = %s",
                (name, owner, photo, variant),
            )
            return _version(_expected(await rows.fetchone()))

    async def arrived(self, version: UUID, sha256: bytes, media_type: str) -> None:
        """Note that a version's bytes are in storage. Raises `NameTaken`: others came first."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "UPDATE versions SET sha256 = %s, media_type = %s"
                " WHERE id = %s AND (sha256 IS NULL OR sha256 = %s)",
                (sha256, media_type, version, sha256),
            )
            if not rows.rowcount:
                raise NameTaken("This version is there already, with other bytes.")

    async def version(self, name: str, id_: UUID) -> Version:
        """A version that can be shown. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "SELECT versions.* FROM versions JOIN votes ON votes.id = vote_id"
                " WHERE name = %s AND versions.id = %s AND sha256 IS NOT NULL",
                (name, id_),
            )
            return _version(_expected(await rows.fetchone()))

    async def next_pairs(self, vote: UUID, voter: bytes, limit: int) -> Sequence[Row]:
        """What the voter has not judged: fewest ballots first, equals in an order of its own."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _DRAWN + "SELECT drawn.*, versions.photo"
                " FROM drawn JOIN versions ON versions.id = left_id"
                " WHERE NOT EXISTS"
                " (SELECT FROM ballots WHERE pair_id = drawn.id AND voter = %(voter)s)"
                " ORDER BY (SELECT count(*) FROM ballots WHERE pair_id = drawn.id), hash"
                " LIMIT %(limit)s",
                {"vote": vote, "voter": voter, "limit": limit},
            )
            return await rows.fetchall()

    async def cast(self, vote: UUID, pair: UUID, voter: bytes, choice: Choice) -> None:
        """Keep a ballot, in place of an earlier one. Raises `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                _DRAWN + "INSERT INTO ballots (pair_id, voter, left_id, choice)"
                " SELECT id, %(voter)s, left_id, %(choice)s FROM drawn WHERE id = %(pair)s"
                " ON CONFLICT (pair_id, voter)"
                " DO UPDATE SET choice = excluded.choice, cast_at = now()",
                {"vote": vote, "pair": pair, "voter": voter, "choice": choice.value},
            )
            if not rows.rowcount:
                raise NotFound("There is no such pair in this vote.")

    async def ballots(self, vote: UUID) -> Sequence[Row]:
        """All ballots with what stood on which side; voters are numbered."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                "SELECT shown.photo, shown.variant AS left, other.variant AS right, choice,"
                " dense_rank() OVER (ORDER BY voter) AS voter"
                " FROM ballots JOIN pairs ON pairs.id = pair_id"
                " JOIN versions AS shown ON shown.id = left_id"
                " JOIN versions AS other ON other.id IN (first_id, second_id)"
                " AND other.id <> left_id"
                " WHERE pairs.vote_id = %s ORDER BY cast_at, voter",
                (vote,),
            )
            return await rows.fetchall()


async def _write_versions(connection: Connection, vote: UUID, request: VoteRequest) -> None:
    versions = {
        (photo, variant): uuid4() for photo in request.photos for variant in request.variants
    }
    pairs = [
        (uuid4(), vote, versions[photo, one], versions[photo, other])
        for photo in request.photos
        for one, other in combinations(request.variants, 2)
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO versions (id, vote_id, photo, variant) VALUES (%s, %s, %s, %s)",
            [(id_, vote, *what) for what, id_ in versions.items()],
        )
        await cursor.executemany(
            "INSERT INTO pairs (id, vote_id, first_id, second_id) VALUES (%s, %s, %s, %s)", pairs
        )


def _version(row: Row) -> Version:
    digest = row["sha256"]
    return Version(
        row["id"], row["vote_id"], None if digest is None else bytes(digest), row["media_type"]
    )


def _expected(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such vote, or this is not of it.")
    return row
