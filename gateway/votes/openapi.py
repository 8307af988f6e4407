"""The routes of votes in the OpenAPI document."""

from pydantic import BaseModel

from darkroom.contracts.votes import (
    VOTES_ROUTE,
    Ballot,
    Ballots,
    Round,
    Vote,
    VoteList,
    VoteRequest,
)
from gateway.openapi_parts import Json, json_content, parameter, reference, session_route

TAKEN: tuple[type[BaseModel], ...] = (Ballot, VoteRequest)
GIVEN: tuple[type[BaseModel], ...] = (Ballots, Round, Vote, VoteList)


def vote_paths() -> Json:
    """The paths under `/api/votes`."""
    one = f"{VOTES_ROUTE}/{{name}}"
    name = _needed(parameter("path", "name", {"type": "string", "maxLength": 80}))
    id_ = _needed(parameter("path", "id", {"type": "string", "format": "uuid"}))
    which = [_needed(parameter("query", of, {"type": "string"})) for of in ("photo", "variant")]
    limit = {"type": "integer", "minimum": 1, "maximum": 20, "default": 2}
    photo = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    none: Json = {}
    vote, round_ = json_content(reference("Vote")), json_content(reference("Round"))
    made = session_route("Make a vote; its photos come next", vote, [], status="201", kind="make")
    made["responses"] |= {"200": {"description": "It is there already", "content": vote}}
    uploaded = session_route(
        "One photo in one variant", none, [name, *which], status="204", kind="make"
    )
    judged = session_route("Say which side is better", round_, [name, id_])
    return {
        VOTES_ROUTE: {
            "post": made | _body("VoteRequest"),
            "get": session_route("The open votes", json_content(reference("VoteList")), []),
        },
        one: {
            "get": session_route("A vote, and how far this voter is", vote, [name]),
            "delete": session_route("Delete a vote, rows and bytes", none, [name], status="204"),
        },
        f"{one}/versions": {
            "put": uploaded | {"requestBody": {"required": True, "content": photo}},
        },
        f"{one}/versions/{{id}}": {"get": session_route("A version's bytes", photo, [name, id_])},
        f"{one}/pairs": {
            "get": session_route(
                "The pairs this voter judges next",
                round_,
                [name, parameter("query", "limit", limit)],
            )
        },
        f"{one}/pairs/{{id}}": {"put": judged | _body("Ballot")},
        f"{one}/ballots": {
            "get": session_route(
                "All ballots, for who made the vote", json_content(reference("Ballots")), [name]
            )
        },
    }


def _needed(described: Json) -> Json:
    return described | {"required": True}


def _body(shape: str) -> Json:
    return {"requestBody": {"required": True, "content": json_content(reference(shape))}}
