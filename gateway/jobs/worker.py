"""The worker: `python -m gateway.jobs.worker`, as many as there is work for.

It takes jobs from the queue until SIGTERM or SIGINT, then finishes those in hand. A worker that
ends otherwise loses nothing: the others notice its silence and its jobs go back into the queue. If
the database goes away, the worker waits until it is back.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as QueuedJob
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker

from darkroom.contracts.errors import ForbiddenAddress, JobsUnavailable
from gateway.jobs.database import Database
from gateway.jobs.outside import GuardedResolver
from gateway.jobs.performing import Limits, Performer
from gateway.jobs.progress import Progress
from gateway.jobs.queue import FORGET, PERFORM, QUEUE, TELL
from gateway.jobs.rescue import Rescue
from gateway.jobs.retention import remove_old
from gateway.jobs.service import trusted_hosts
from gateway.jobs.storage import Storage
from gateway.jobs.webhooks import NotTold, Webhooks
from gateway.settings import Settings, read_settings

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 60
TELLINGS = 8  # over some four minutes
EVERY_TEN_MINUTES = "*/10 * * * *"
FINISH_S = 10.0  # for the jobs in hand at the end; after it they go back into the queue
RECONNECT_S = 1.0
LOOK_EVERY_S = 1.0  # new jobs announce themselves, those whose pause is over do not


class BackOff(BaseRetryStrategy):
    """Twice as long after each try: 1, 2, 4 … seconds. How often is decided by the task."""

    def get_retry_decision(
        self,
        *,
        exception: BaseException,  # noqa: ARG002 - named by the caller
        job: QueuedJob,
    ) -> RetryDecision:
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, LONGEST_PAUSE_S)})


class JobWorker:
    """Works until it is told to stop."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._database = Database(settings.database_url, settings.database_folder)
        self._storage = Storage(settings.storage_url, settings.photos_folder)
        self._performer = Performer(
            session,
            str(settings.gateway_url),
            Progress(self._database),
            self._storage,
            Limits(settings.job_budget_ms, settings.job_attempts),
        )
        secret, resolver = settings.webhook_secret, GuardedResolver(trusted_hosts(settings))
        self._webhooks = Webhooks(self._database, secret.get_secret_value(), resolver)
        self._stop = asyncio.Event()
        self._in_hand: set[int] = set()  # places in the queue of what is being worked on

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                await self._database.prepare()
                await self._work()
            except (JobsUnavailable, ConnectorException, psycopg.Error) as error:
                log.warning("the database is away: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECONNECT_S):
                    await self._stop.wait()
        await self._database.close()

    async def _work(self) -> None:
        """Take jobs until the stop, or until the database goes away."""
        silence_s = self._settings.stalled_after_s
        app = self._queue_app()
        async with app.open_async():
            worker = Worker(
                app,
                queues=[QUEUE],
                concurrency=self._settings.worker_concurrency,
                fetch_job_polling_interval=LOOK_EVERY_S,
                shutdown_graceful_timeout=FINISH_S,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=silence_s / 3,
                stalled_worker_timeout=silence_s,
            )
            rescue = Rescue(app.job_manager, worker, self._in_hand, silence_s)
            working = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            others = [asyncio.create_task(self._stop.wait()), asyncio.create_task(rescue.run())]
            await asyncio.wait({working, *others}, return_when=asyncio.FIRST_COMPLETED)
            worker.stop()  # type: ignore[no-untyped-call]
            try:
                await working
            finally:
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)

    def _queue_app(self) -> App:
        """The tasks of the queue."""
        app = App(connector=PsycopgConnector(conninfo=self._database.locate, min_size=1))

        @app.task(name=PERFORM, queue=QUEUE, retry=BackOff(), pass_context=True)
        async def perform(context: JobContext, job: str) -> None:
            with self._held(context):
                await self._performer.perform(UUID(job))

        @app.task(name=TELL, queue=QUEUE, retry=BackOff(), pass_context=True)
        async def tell(context: JobContext, order: str) -> None:
            with self._held(context):
                await self._tell(UUID(order), context.job.attempts)

        @app.periodic(cron=EVERY_TEN_MINUTES)
        @app.task(name=FORGET, queue=QUEUE, pass_context=True)
        async def forget(context: JobContext, timestamp: int) -> None:
            with self._held(context):
                age = timedelta(hours=self._settings.retention_hours)
                now = datetime.fromtimestamp(timestamp, UTC)
                gone = await remove_old(self._database, self._storage, age, now)
                log.info("%d objects of old jobs deleted", gone)

        return app

    async def _tell(self, order: UUID, earlier: int) -> None:
        try:
            await self._webhooks.tell(order)
        except ForbiddenAddress:
            log.warning("the webhook of order %s leads to an address it must not", order)
        except NotTold as error:
            if earlier + 1 < TELLINGS:
                raise
            log.warning("the webhook of order %s was not taken: %s", order, error)

    @contextlib.contextmanager
    def _held(self, context: JobContext) -> Iterator[None]:
        assert context.job.id is not None
        self._in_hand.add(context.job.id)
        try:
            yield
        finally:
            self._in_hand.discard(context.job.id)


async def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        worker = JobWorker(settings, session)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        await worker.run()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    settings = read_settings()
    if settings is None:
        return 2
    asyncio.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
