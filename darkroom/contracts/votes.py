"""Votes: two versions of one photo side by side, and which is better, as `/api/votes` speaks of it.

A *vote* compares *variants*, for instance two models' outputs, over the same photos. A *version*
is one photo in one variant, a *pair* two versions of one photo. A *voter* is a session; its
*ballot* on a pair says which side it found better. Keys on the wire are camelCase, as with jobs.

    POST   /api/votes                         `VoteRequest` → 201 `Vote`; 200 where this session has
                                              made the same one already
    GET    /api/votes                         the votes that are open → `VoteList`
    GET    /api/votes/{name}                  → `Vote`, with this voter's progress
    DELETE /api/votes/{name}                  → 204; rows and bytes are gone
    PUT    /api/votes/{name}/versions         ?photo=…&variant=…, the bytes as body → 204
    GET    /api/votes/{name}/versions/{id}    the bytes
    GET    /api/votes/{name}/pairs            ?limit=1…20 → `Round`: what this voter judges next
    PUT    /api/votes/{name}/pairs/{id}       `Ballot` → `Round`; another one replaces it
    GET    /api/votes/{name}/ballots          all of them → `Ballots`

A vote is open once all versions are there. Deleting, uploading and reading the ballots belong to
the session that made the vote, judging to everybody. What a voter is told never names a variant.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from darkroom.contracts.jobs import Wire

VOTES_ROUTE = "/api/votes"
MAX_NAME = 80
MAX_PAIRS = 10_000  # of one vote


def _shown(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise ValueError("printable characters only, with no space at its ends")
    return name


def _in_addresses(name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise ValueError("no slash, for it is part of addresses")
    return name


# Show all of these as text: they may look like HTML.
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_shown)]
VoteName = Annotated[Name, AfterValidator(_in_addresses)]
PhotoName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_shown)]


class Choice(StrEnum):
    """Which side is better, or neither."""

    LEFT = "left"
    RIGHT = "right"
    NO_DIFFERENCE = "no_difference"


class VoteRequest(Wire):
    """A vote to be made: every photo in every variant is uploaded next."""

    model_config = ConfigDict(extra="forbid")

    name: VoteName
    variants: Annotated[tuple[Name, ...], Field(min_length=2, max_length=20)]
    photos: Annotated[tuple[PhotoName, ...], Field(min_length=1, max_length=MAX_PAIRS)]

    @model_validator(mode="after")
    def _sane(self) -> Self:
        for names in (self.variants, self.photos):
            if len(set(names)) < len(names):
                raise ValueError("no name twice")
        pairs = len(self.photos) * len(self.variants) * (len(self.variants) - 1) // 2
        if pairs > MAX_PAIRS:
            raise ValueError(f"{pairs:,} pairs are more than {MAX_PAIRS:,}")
        return self


class VersionOptions(BaseModel):
    """Whose bytes an upload carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photo: PhotoName
    variant: Name


class Ballot(Wire):
    """A voter's answer to a pair, by the sides it was shown."""

    model_config = ConfigDict(extra="forbid")

    choice: Choice


class Vote(Wire):
    """A vote as a voter sees it."""

    name: str = Field(description="show it as text")
    created_at: datetime
    pairs: int
    judged: int = Field(description="pairs this session has judged")
    missing: int = Field(description="versions still to be uploaded; 0: it is open")


class VoteList(Wire):
    """The open votes, newest first."""

    votes: tuple[Vote, ...]


class Pair(Wire):
    """Two versions of a photo; the sides are this voter's own and stay."""

    id: UUID
    photo: str = Field(description="the file's name: show it as text")
    left_url: str
    right_url: str


class Round(Wire):
    """How far a voter is, and the pairs to judge next: those with the fewest ballots first."""

    total: int
    judged: int
    pairs: tuple[Pair, ...]


class CastBallot(Wire):
    """A ballot with what the sides were."""

    photo: str
    left: str = Field(description="the variant shown on the left")
    right: str
    choice: Choice
    voter: int = Field(description="a number from 1 on, in this answer only")


class Ballots(Wire):
    """All that was judged, as the report reads it."""

    name: str
    variants: tuple[str, ...]
    photos: int
    pairs: int
    ballots: tuple[CastBallot, ...]
