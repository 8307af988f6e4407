"""A gateway with a real PostgreSQL, somebody who puts photos to the vote, and voters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import pytest

from darkroom.contracts.jobs import SESSION_HEADER
from tests.gateway.jobs.conftest import Jobs, jobs, start_jobs
from tests.gateway.photos import a_photo

__all__ = ["jobs", "start_jobs"]  # fixtures, known by their names


@dataclass
class Voter:
    """A client of `/api/votes` with a session of its own."""

    url: str
    http: aiohttp.ClientSession
    session: str = field(default_factory=lambda: uuid4().hex)

    async def call(self, method: str, path: str = "", **given: Any) -> tuple[int, Any]:
        """(status, JSON or bytes) of a request under /api/votes."""
        headers = {SESSION_HEADER: self.session}
        async with self.http.request(
            method, f"{self.url}/api/votes{path}", headers=headers, **given
        ) as reply:
            is_json = reply.content_type.endswith("json")
            return reply.status, await (reply.json() if is_json else reply.read())

    async def get(self, path: str) -> Any:
        status, answer = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def make(self, name: str, variants: list[str], photos: list[str]) -> None:
        """A vote with all its versions: each photo is the same in no two variants."""
        asked = {"name": name, "variants": variants, "photos": photos}
        status, vote = await self.call("POST", json=asked)
        assert status == 201, vote
        for place, variant in enumerate(variants):
            for number, photo in enumerate(photos):
                payload = a_photo(seed=100 * place + number, size=(8, 6))
                assert await self.upload(name, photo, variant, payload) == 204

    async def upload(self, name: str, photo: str, variant: str, payload: bytes) -> int:
        path = f"/{quote(name, safe='')}/versions"
        which = {"photo": photo, "variant": variant}
        return (await self.call("PUT", path, params=which, data=payload))[0]

    async def next(self, name: str, limit: int = 20) -> Any:
        return await self.get(f"/{quote(name, safe='')}/pairs?limit={limit}")

    async def judge(self, name: str, pair: str, choice: str) -> tuple[int, Any]:
        path = f"/{quote(name, safe='')}/pairs/{pair}"
        return await self.call("PUT", path, json={"choice": choice})

    async def ballots(self, name: str) -> Any:
        return (await self.get(f"/{quote(name, safe='')}/ballots"))["ballots"]


NewVoter = Callable[[], Voter]


@pytest.fixture
def new_voter(jobs: Jobs) -> NewVoter:
    """Makes voters; the one who makes the vote is one too."""
    return lambda: Voter(jobs.url, jobs.http)


@pytest.fixture
async def owner(new_voter: NewVoter) -> Voter:
    """Somebody with an open vote `tone`: two photos in two variants."""
    owner = new_voter()
    await owner.make("tone", ["old", "new"], ["a.jpg", "b.jpg"])
    return owner
