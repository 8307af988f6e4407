"""The gateway's side of jobs: everything opened at the first request that needs it."""

from uuid import UUID

from darkroom.contracts.errors import ForbiddenAddress
from gateway.admission import Admission
from gateway.jobs.changes import Changes
from gateway.jobs.database import Database
from gateway.jobs.outside import GuardedResolver, check_address
from gateway.jobs.storage import Storage, result_folder
from gateway.jobs.store import Store
from gateway.settings import Settings


class Service:
    """What routes use: rows, bytes, changes as they happen, and the guard of webhooks."""

    def __init__(self, settings: Settings, admission: Admission) -> None:
        self.settings = settings
        self.admission = admission
        self.database = Database(settings.database_url, settings.database_folder)
        self.storage = Storage(settings.storage_url, settings.photos_folder)
        self.store = Store(self.database)
        self.changes = Changes(self.database)
        self._resolver = GuardedResolver(trusted_hosts(settings))

    async def close(self) -> None:
        await self.changes.close()
        await self.database.close()

    async def check_webhook(self, url: str) -> None:
        """Raise `ForbiddenAddress` unless this service would call there."""
        if not self.settings.webhook_secret.get_secret_value():
            raise ForbiddenAddress("This service sends no webhooks: it has no secret to sign with.")
        await check_address(url, self._resolver)

    async def delete(self, session: bytes, id_: UUID) -> None:
        """Delete rows, then bytes. Bytes that stay behind are found by age (`retention`)."""
        jobs, keys = await self.store.delete(session, id_)
        for job in jobs:
            keys += await self.storage.under(
                result_folder(job)
            )  # of tries that came to nothing too
        await self.storage.delete(keys)


def trusted_hosts(settings: Settings) -> frozenset[str]:
    return frozenset(host.strip() for host in settings.webhook_hosts.split(",") if host.strip())
