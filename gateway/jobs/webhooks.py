"""Telling a client's own service that its order has ended.

The body is the `Order`. The header X-Darkroom-Signature is `t=<unix seconds>,v1=<hex>`, where v1 is
the HMAC-SHA-256 of `<t>.<body>` under DARKROOM_WEBHOOK_SECRET: the receiver computes it anew and
refuses what is old. An order may be told more than once; its id says which one it is.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from uuid import UUID

import aiohttp

from darkroom.contracts.jobs import SIGNATURE_HEADER
from gateway.jobs.database import Database
from gateway.jobs.outside import GuardedResolver, post_outside
from gateway.jobs.rows import to_job, to_order
from gateway.jobs.store import Store


class NotTold(Exception):
    """The receiver did not take the webhook; to be tried again."""


def signature(secret: str, body: bytes, moment: int) -> str:
    """The value of the header for a body sent at a moment (unix seconds)."""
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={signed.hexdigest()}"


class Webhooks:
    def __init__(
        self,
        database: Database,
        secret: str,
        resolver: GuardedResolver,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._store = Store(database)
        self._secret = secret
        self._resolver = resolver
        self._clock = clock

    async def tell(self, order: UUID) -> None:
        """Post an order to the address it came with; nothing where it has been deleted.

        Raises:
            NotTold: the receiver is away or did not answer 2xx.
            ForbiddenAddress: by now the address must not be called.
        """
        async with self._database.transaction() as connection:
            row = await connection.execute(
                "SELECT session, webhook FROM orders WHERE id = %s", (order,)
            )
            found = await row.fetchone()
        if found is None or not found["webhook"]:
            return
        rows = await self._store.find(bytes(found["session"]), order)
        body = to_order(order, [to_job(row) for row in rows]).model_dump_json().encode()
        told = {SIGNATURE_HEADER: signature(self._secret, body, int(self._clock()))}
        try:
            status = await post_outside(found["webhook"], body, told, self._resolver)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotTold(type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotTold(f"HTTP {status}")
