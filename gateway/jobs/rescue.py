"""Puts jobs back into the queue whose worker has gone or has lost sight of them."""

import asyncio
import logging
from datetime import UTC, datetime

from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

log = logging.getLogger(__name__)

LOOKS = 6.0  # in the time after which a worker counts as dead


class Rescue:
    """Looks again and again, in every worker; to put a job back twice does no harm."""

    def __init__(
        self, manager: JobManager, worker: Worker, in_hand: set[int], silence_s: float
    ) -> None:
        self._manager = manager
        self._worker = worker
        self._in_hand = in_hand
        self._silence_s = silence_s
        self._missed: set[int] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._silence_s / LOOKS)
            try:
                await self._of_the_dead()
                await self._of_our_own()
            except ConnectorException as error:  # the worker itself notices what matters
                log.debug("no rescue: %s", error)

    async def _of_the_dead(self) -> None:
        """Jobs of workers that have been silent, or have signed off without finishing them."""
        for job in await self._manager.get_stalled_jobs(seconds_since_heartbeat=self._silence_s):
            await self._put_back(job.id)

    async def _of_our_own(self) -> None:
        """Jobs that the queue thinks are in our hands and are not.

        Their ending was not written down because the database was away just then. One that has
        only just been fetched looks the same, so it must be missed twice.
        """
        if self._worker.worker_id is None:
            return
        ours = await self._manager.list_jobs_async(status="doing", worker_id=self._worker.worker_id)
        missed = {job.id for job in ours if job.id is not None} - self._in_hand
        for place in missed & self._missed:
            await self._put_back(place)
        self._missed = missed

    async def _put_back(self, place: int | None) -> None:
        if place is not None:
            log.warning("place %d of the queue was abandoned: it is taken up again", place)
            await self._manager.retry_job_by_id_async(place, retry_at=datetime.now(UTC))
