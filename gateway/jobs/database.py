"""The connections to PostgreSQL: opened at the first use, made anew when they break."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from darkroom.contracts.errors import JobsUnavailable
from gateway.jobs.embedded import embedded_url
from gateway.jobs.migrating import migrate

Connection = psycopg.AsyncConnection[DictRow]

WAIT_S = 2.0  # for a free connection; then whoever asks is told that there is none
CONNECT_S = 3


class Database:
    """A pool that is empty where nobody asks; everything that fails is `JobsUnavailable`.

    `url` is a connection string, or empty for the embedded server on `folder`, whose address may
    change from start to start.
    """

    def __init__(self, url: str, folder: Path, connections: int = 8) -> None:
        self.locate: Callable[[], str] = lambda: url or embedded_url(folder)
        self._pool = AsyncConnectionPool(
            self.locate,
            connection_class=Connection,
            kwargs={"row_factory": dict_row, "connect_timeout": CONNECT_S},
            min_size=0,
            max_size=connections,
            timeout=WAIT_S,
            open=False,
            check=AsyncConnectionPool.check_connection,  # one may have died since its last use
            reconnect_timeout=WAIT_S,
        )
        self._ready = False
        self._preparing = asyncio.Lock()

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction, which an exception rolls back.

        Raises:
            JobsUnavailable: the database cannot be reached or goes away meanwhile.
        """
        with translated():
            await self.prepare()
            async with self._pool.connection() as connection:
                yield connection

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[Connection]:
        """A connection of its own, outside any transaction. Raises as `transaction` does."""
        with translated():
            await self.prepare()
            connect = Connection.connect(
                self.locate(), autocommit=True, row_factory=dict_row, connect_timeout=CONNECT_S
            )
            async with await connect as connection:
                yield connection

    async def prepare(self) -> None:
        """Migrate, once; every other method does so first."""
        async with self._preparing:
            if self._ready:
                return
            connect = psycopg.AsyncConnection.connect(
                self.locate(), autocommit=True, connect_timeout=CONNECT_S
            )
            async with await connect as connection:
                await migrate(connection)
            await self._pool.open()
            self._ready = True


class translated:  # noqa: N801 - reads as a word of the language
    """The driver's errors that say the database is away, as ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, psycopg.OperationalError | PoolTimeout):
            raise JobsUnavailable() from error
