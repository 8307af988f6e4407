"""Which replicas of a model server there are: looked up again every second, proven before use.

New replicas, and those that had been ejected, have to answer a tiny photo before they get a
client's: neither a name service nor TorchServe's `/ping` tells whether a network is loaded.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from darkroom.contracts.errors import ServiceError
from gateway.addresses import Addresses
from gateway.budget import Clock
from gateway.calls import Call
from gateway.model_server import ModelServer
from gateway.places import Places
from gateway.replica import Replica

log = logging.getLogger(__name__)

LOOK_UP_EVERY_S = 1.0

Edge = Callable[[str], ModelServer]  # to the replica at a base URL
Probe = Callable[[], Call[Any]]  # what a replica has to answer


class Discovery:
    """Keeps the replicas that `places` are given at."""

    def __init__(
        self, addresses: Addresses, edge: Edge, probe: Probe, places: Places, clock: Clock
    ) -> None:
        self.probing: dict[Replica, asyncio.Task[None]] = {}
        self._addresses = addresses
        self._edge = edge
        self._probe = probe
        self._places = places
        self._clock = clock

    async def watch(self) -> None:
        """Look up and probe, for as long as the gateway runs."""
        try:
            while True:
                await self.refresh()
                await asyncio.sleep(LOOK_UP_EVERY_S)
        finally:
            for task in self.probing.values():
                task.cancel()

    async def refresh(self) -> None:
        """Look up all addresses; start a probe of each replica that has to prove itself."""
        known, found = self._places.replicas, await self._addresses.look_up()
        if known.keys() != set(found):
            log.info("replicas of %s: %s", self._addresses.name, ", ".join(found) or "none")
        self._places.replace(
            {a: known.get(a) or Replica(a, self._edge(a), self._clock) for a in found}
        )
        for replica in self._places.replicas.values():
            replica.server.is_only_one = len(found) == 1
            if replica.trusted or replica in self.probing or not replica.may_return:
                continue
            if len(found) == 1:
                replica.prove()  # there is no other to ask instead
            else:
                self.probing[replica] = asyncio.create_task(self._prove(replica))

    async def _prove(self, replica: Replica) -> None:
        try:
            with suppress(ServiceError):
                replica.is_serving((await replica.server.ask(self._probe())).by)
                replica.prove()
                self._places.wake()
        finally:
            del self.probing[replica]
