"""What the routes under `/api/votes` answer, as `darkroom.contracts.votes` describes them.

Each function takes the request, the open service and the session's digest; `front` names them.
"""

import hashlib
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from darkroom.contracts.errors import MalformedRequest, NameTaken, NotFound
from darkroom.contracts.votes import (
    VOTES_ROUTE,
    Ballot,
    Ballots,
    CastBallot,
    Pair,
    Round,
    VersionOptions,
    Vote,
    VoteList,
    VoteName,
    VoteRequest,
)
from gateway.jobs.routes import OF_PHOTOS
from gateway.jobs.rows import Row
from gateway.jobs.service import Service
from gateway.jobs.storage import version_key, vote_folder
from gateway.reading import options_of, read_body, read_photo
from gateway.replies import PhotoResponse
from gateway.votes.store import Votes

MAX_DOCUMENT_BYTES = 4 << 20  # names of ten thousand photos

Document = TypeVar("Document", bound=BaseModel)
_name: TypeAdapter[str] = TypeAdapter(VoteName)


class RoundOptions(BaseModel):
    """How many pairs to hand out: the one to show, and those to load meanwhile."""

    limit: int = Field(default=2, ge=1, le=20)


async def make(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Make a vote, still without its photos."""
    asked = await _read_document(request, service, VoteRequest)
    votes = Votes(service.database)
    is_new = await votes.make(asked, session)
    vote = _vote(await votes.find(asked.name, session))
    return _answer(vote, status=201 if is_new else 200)


async def listing(_: web.Request, service: Service, session: bytes) -> web.Response:
    """The open votes."""
    rows = await Votes(service.database).open(session)
    return _answer(VoteList(votes=tuple(map(_vote, rows))))


async def look(request: web.Request, service: Service, session: bytes) -> web.Response:
    """One vote, and how far this session is."""
    return _answer(_vote(await Votes(service.database).find(_name_in(request), session)))


async def delete(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Delete rows, then bytes; what stays behind of those is found by age."""
    vote = await Votes(service.database).delete(_name_in(request), session)
    await service.storage.delete(await service.storage.under(vote_folder(vote)))
    return web.Response(status=204)


async def upload(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Take the bytes of one version, once and for all."""
    votes = Votes(service.database)
    with service.admission.body() as held:
        photo, which = await read_photo(request, VersionOptions, service.settings, held)
        version = await votes.version_to_upload(
            _name_in(request), session, which.photo, which.variant
        )
        digest = hashlib.sha256(photo.payload).digest()
        if version.sha256 not in (None, digest):
            raise NameTaken("This version is there already, with other bytes.")
        await service.storage.put(version_key(version.vote, digest), photo.payload)
    await votes.arrived(version.id, digest, photo.header.format.media_type)
    return web.Response(status=204)


async def version(request: web.Request, service: Service, _: bytes) -> web.Response:
    """The bytes of a version. Its address does not tell which variant it is."""
    found = await Votes(service.database).version(_name_in(request), _id_in(request))
    assert found.sha256 is not None
    assert found.media_type is not None
    payload = await service.storage.get(version_key(found.vote, found.sha256))
    return PhotoResponse(payload, found.media_type, OF_PHOTOS, service.admission)


async def pairs(request: web.Request, service: Service, session: bytes) -> web.Response:
    """What this voter judges next. Asking reserves nothing."""
    return await _round(request, Votes(service.database), session)


async def cast(request: web.Request, service: Service, session: bytes) -> web.Response:
    """Keep this voter's ballot on a pair; what it judges next."""
    ballot = await _read_document(request, service, Ballot)
    votes = Votes(service.database)
    vote = await votes.find(_name_in(request), session)
    _expect_open(vote)
    await votes.cast(vote["id"], _id_in(request), session, ballot.choice)
    return await _round(request, votes, session)


async def ballots(request: web.Request, service: Service, session: bytes) -> web.Response:
    """All ballots, for who made the vote."""
    votes = Votes(service.database)
    vote = await votes.find(_name_in(request), session)
    if bytes(vote["owner"]) != session:
        raise NotFound("The ballots are told to the session that made the vote.")
    return _answer(
        Ballots(
            name=vote["name"],
            variants=vote["variants"],
            photos=len(vote["photos"]),
            pairs=vote["pairs"],
            ballots=tuple(CastBallot(**row) for row in await votes.ballots(vote["id"])),
        )
    )


async def _round(request: web.Request, votes: Votes, session: bytes) -> web.Response:
    limit = options_of(RoundOptions, request.query.items()).limit
    vote = await votes.find(_name_in(request), session)
    _expect_open(vote)
    rows = await votes.next_pairs(vote["id"], session, limit)
    here = f"{VOTES_ROUTE}/{quote(vote['name'], safe='')}/versions"
    return _answer(
        Round(
            total=vote["pairs"],
            judged=vote["judged"],
            pairs=tuple(
                Pair(
                    id=row["id"],
                    photo=row["photo"],
                    left_url=f"{here}/{row['left_id']}",
                    right_url=f"{here}/{row['right_id']}",
                )
                for row in rows
            ),
        )
    )


def _expect_open(vote: Row) -> None:
    if vote["missing"]:
        raise NotFound(f"This vote is not open yet: {vote['missing']} versions are missing.")


async def _read_document(request: web.Request, service: Service, shape: type[Document]) -> Document:
    with service.admission.body() as held:
        body = await read_body(request, service.settings, held, MAX_DOCUMENT_BYTES)
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:64]
        raise MalformedRequest(f"{where}: {first['msg']}" if where else first["msg"]) from error


def _name_in(request: web.Request) -> str:
    try:
        return _name.validate_python(request.match_info["name"])
    except ValidationError as error:
        raise NotFound() from error


def _id_in(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError as error:
        raise NotFound() from error


def _vote(row: Row) -> Vote:
    return Vote(**{name: row[name] for name in Vote.model_fields})


def _answer(document: BaseModel, status: int = 200) -> web.Response:
    text = document.model_dump_json()
    return web.json_response(text=text, status=status, headers={"Cache-Control": "no-store"})
