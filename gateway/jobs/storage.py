"""Where the bytes lie: a folder, or an object store by its address (s3://…, gs://…, az://…)."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from darkroom.contracts.errors import JobsUnavailable, NotFound


def original_key(photo: UUID) -> str:
    return f"originals/{photo}"


def result_key(job: UUID, attempt: int) -> str:
    """Each try has a place of its own, so that a late one overwrites nothing."""
    return f"{result_folder(job)}/{attempt}"


def result_folder(job: UUID) -> str:
    return f"results/{job}"


def version_key(vote: UUID, sha256: bytes) -> str:
    """By content: two uploads of one version at once cannot disturb each other."""
    return f"{vote_folder(vote)}/{sha256.hex()}"


def vote_folder(vote: UUID) -> str:
    return f"votes/{vote}"


def vote_of(key: str) -> str | None:
    """The id of the vote that an object belongs to, if it does to one."""
    folder, *rest = key.split("/")
    return rest[0] if folder == "votes" and rest else None


class Storage:
    """Objects by key; keys are made of our own ids, never of what a client names.

    Every method raises `JobsUnavailable` where the store cannot be reached or refuses.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._store: ObjectStore = from_url(url) if url else LocalStore(folder, mkdir=True)

    async def put(self, key: str, payload: bytes) -> None:
        """Whole or not at all: a reader never sees half an object."""
        try:
            await obstore.put_async(self._store, key, payload)
        except (BaseError, OSError) as error:
            raise JobsUnavailable() from error

    async def get(self, key: str) -> bytes:
        """Raises `NotFound` where there is none."""
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except (FileNotFoundError, NotFoundError) as error:
            raise NotFound() from error
        except (BaseError, OSError) as error:
            raise JobsUnavailable() from error

    async def delete(self, keys: list[str]) -> None:
        """Delete those that are there."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except (FileNotFoundError, NotFoundError):
                continue
            except (BaseError, OSError) as error:
                raise JobsUnavailable() from error

    async def under(self, folder: str) -> list[str]:
        """The keys of the objects in a folder."""
        try:
            return [
                entry["path"]
                async for objects in obstore.list(self._store, prefix=folder)
                for entry in objects
            ]
        except (BaseError, OSError) as error:
            raise JobsUnavailable() from error

    async def older_than(self, moment: datetime) -> AsyncIterator[str]:
        """The keys of objects last written before the moment."""
        try:
            async for objects in obstore.list(self._store, chunk_size=500):
                for entry in objects:
                    if entry["last_modified"] < moment:
                        yield entry["path"]
        except (BaseError, OSError) as error:
            raise JobsUnavailable() from error
