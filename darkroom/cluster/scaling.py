"""More or fewer replicas of a model server while the cluster runs: `darkroom scale tone=3`.

The command writes what is wanted into `var/<port>/scale.json`; `darkroom up` starts or ends
servers and keeps the list of those that run in `replicas.json`, which the gateway reads again every
second. A new replica gets photos once it has answered the gateway's probe. One that is to go is
first taken off the list, then ended when nobody has a photo there any more. One that has ended by
itself is started again at other ports if its own are taken by then.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from darkroom.cluster.server import Server
from darkroom.cluster.servers import (
    LISTING,
    PROJECT,
    ClusterError,
    Layout,
    another_replica,
    moved,
    port_is_free,
)
from darkroom.cluster.supervisor import Say, Supervisor

WANTED = "scale.json"
MOST = 32
NOTICED_AFTER_S = 2.5  # the gateway reads the list every second
DRAINED_WITHIN_S = 60.0  # the longest budget
READY_WITHIN_S = 120.0
LOOK_EVERY_S = 0.2

_ADDRESSES = ("TS_INFERENCE_ADDRESS", "TS_MANAGEMENT_ADDRESS", "TS_METRICS_ADDRESS")
_LINE = re.compile(r'darkroom_replica_(\w+)\{replica="([^"]+)",server="([^"]+)"\} ([0-9.]+)')


class Scaling:
    """Makes what runs what is wanted."""

    def __init__(
        self, layout: Layout, servers: Iterable[Server], supervisor: Supervisor, say: Say
    ) -> None:
        self._layout = layout
        self._supervisor = supervisor
        self._say = say
        self._wanted = layout.run_folder / WANTED
        self._wanted.unlink(missing_ok=True)
        self._replicas = {
            server.name: [server] for server in servers if _ADDRESSES[0] in server.environment
        }
        self._list()

    async def follow(self) -> None:
        """Do what is asked for, until cancelled."""
        while True:
            for name, count in read_counts(self._wanted).items():
                if name in self._replicas and 1 <= count <= MOST:
                    await self._scale(name, count)
            await asyncio.sleep(LOOK_EVERY_S)

    def at_free_ports(self, server: Server) -> Server:
        """A server that is to be started again: elsewhere, if somebody has one of its ports."""
        replicas = self._replicas.get(server.name.partition(".")[0], [])
        if server not in replicas or all(port_is_free("127.0.0.1", p) for p in _ports(server)):
            return server
        elsewhere = moved(server, self._layout, self._taken())
        replicas[replicas.index(server)] = elsewhere
        self._list()
        self._say(f"{server.name} moves: somebody else has a port of its own.")
        return elsewhere

    async def _scale(self, name: str, count: int) -> None:
        replicas = self._replicas[name]
        while len(replicas) < count:
            number = _first_free(replicas, name)
            server = another_replica(self._layout, name, number, self._taken())
            server.log.unlink(missing_ok=True)
            self._supervisor.keep_running(server, self.at_free_ports)
            replicas.append(server)
            self._list()
            self._say(f"{server.name} starts. Its log: {server.log}")
        leaving = replicas[count:]
        if leaving:
            del replicas[count:]
            self._list()
            await asyncio.gather(*map(self._let_go, leaving))

    async def _let_go(self, server: Server) -> None:
        await asyncio.sleep(NOTICED_AFTER_S)
        await _drained(self._layout.url, server.environment[_ADDRESSES[0]])
        await self._supervisor.stop_running(server.name)
        self._say(f"{server.name} has ended.")

    def _taken(self) -> set[int]:
        """Ports of all replicas, those included that are just being started again."""
        servers = (server for replicas in self._replicas.values() for server in replicas)
        return set(chain.from_iterable(map(_ports, servers)))

    def _list(self) -> None:
        urls = {
            name: [server.environment[_ADDRESSES[0]] for server in replicas]
            for name, replicas in self._replicas.items()
        }
        _write(self._layout.run_folder / LISTING, urls)


async def ask_to_scale(port: int, counts: Mapping[str, int], say: Say) -> None:
    """Ask the cluster at this port of this machine, and wait until it is so.

    Raises:
        ClusterError: there is none, it has no such model server, or the replicas do not come up.
    """
    run_folder, url = PROJECT / "var" / str(port), f"http://127.0.0.1:{port}"
    known = {name for _, _, name in await _replicas(url)}
    if not known:
        raise ClusterError(f"No Darkroom answers at {url}. `darkroom up` starts one.")
    for name, count in counts.items():
        if name not in known:
            raise ClusterError(f"There is no {name} here, but {', '.join(sorted(known))}.")
        if not 1 <= count <= MOST:
            raise ClusterError(f"{name} can have 1 to {MOST} replicas.")
    wanted = {**read_counts(run_folder / WANTED), **counts}
    _write(run_folder / WANTED, wanted)
    for _ in range(int(READY_WITHIN_S / LOOK_EVERY_S)):
        ready = await _trusted(url)
        if all(ready[name] == count for name, count in counts.items()):
            say(", ".join(f"{name}: {count} ready" for name, count in counts.items()))
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise ClusterError(f"Not ready after {READY_WITHIN_S:.0f} s. Logs: {run_folder}")


def read_counts(file: Path) -> dict[str, int]:
    """What is wanted; nothing where nobody has asked."""
    try:
        document = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): int(count) for name, count in document.items()}


async def _replicas(url: str) -> dict[tuple[str, str, str], float]:
    """What the gateway counts of its replicas, by quantity, address and model server."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as reply:
            text = await reply.text()
    except (aiohttp.ClientError, OSError):
        return {}
    return {(what, at, name): float(value) for what, at, name, value in _LINE.findall(text)}


async def _trusted(url: str) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (what, _, name), value in (await _replicas(url)).items():
        if what == "trusted":
            counted[name] += int(value)
    return counted


async def _drained(url: str, address: str) -> None:
    """Wait until nobody has a photo at this address, or can have one any more."""
    for _ in range(int(DRAINED_WITHIN_S / LOOK_EVERY_S)):
        outstanding = [
            value
            for (what, at, _), value in (await _replicas(url)).items()
            if what == "outstanding" and at.rstrip("/") == address
        ]
        if not any(outstanding):
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _ports(server: Server) -> set[int]:
    return {urlsplit(server.environment[name]).port or 0 for name in _ADDRESSES}


def _first_free(replicas: Iterable[Server], name: str) -> int:
    names = {server.name for server in replicas}
    return next(number for number in range(2, MOST + 2) if f"{name}.{number}" not in names)


def _write(file: Path, document: Mapping[str, object]) -> None:
    """Write a file that is whole whenever somebody looks."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps(document) + "\n")
    unfinished.replace(file)
