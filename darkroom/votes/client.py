"""The Python client of votes, for the one who makes them; people judge on the page."""

import asyncio
import io
from pathlib import Path
from urllib.parse import quote

from darkroom.contracts.votes import VOTES_ROUTE, Ballots, Vote, VoteList, VoteRequest
from darkroom.session import SessionClient


class AsyncVotes(SessionClient):
    """The votes of one session. Every method raises as `SessionClient.call` does."""

    async def make(self, request: VoteRequest) -> Vote:
        """A vote still without its photos; the same request again finds the same vote."""
        document = request.model_dump_json().encode()
        return Vote.model_validate_json(
            await self.call("POST", VOTES_ROUTE, data=io.BytesIO(document))
        )

    async def upload(self, name: str, photo: str, variant: str, file: Path) -> None:
        """Send one photo in one variant. Raises `OSError` where the file cannot be read."""
        payload = await asyncio.to_thread(file.read_bytes)
        which = {"photo": photo, "variant": variant}
        path = f"{_address(name)}/versions"
        await self.call("PUT", path, data=io.BytesIO(payload), params=which)

    async def open(self) -> tuple[Vote, ...]:
        """The votes that people can judge, newest first."""
        return VoteList.model_validate_json(await self.call("GET", VOTES_ROUTE)).votes

    async def ballots(self, name: str) -> Ballots:
        """All that was judged."""
        return Ballots.model_validate_json(await self.call("GET", f"{_address(name)}/ballots"))

    async def delete(self, name: str) -> None:
        """Delete a vote with its photos and ballots."""
        await self.call("DELETE", _address(name))


def _address(name: str) -> str:
    return f"{VOTES_ROUTE}/{quote(name, safe='')}"
