"""Where the replicas of a model server are: every address that its URLs stand for, right now.

A name may have many addresses: Compose, Swarm and a headless Kubernetes service answer a look-up
with one for each running container. On one machine `darkroom up` lists its replicas in a file.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from yarl import URL

log = logging.getLogger(__name__)

Resolve = Callable[[str, int], Awaitable[list[str]]]  # host and port → IP addresses


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host. Raises OSError where the name is not known or nobody answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A name of both families lists one replica twice; a private network always has the fourth.
    families = {family for family, *_ in found}
    family = socket.AF_INET if socket.AF_INET in families else socket.AF_INET6
    return list(dict.fromkeys(str(there[0]) for kind, *_, there in found if kind == family))


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        ip_address(host)
        return True
    return False


class Addresses:
    """The base URLs of one model server's replicas; each look-up asks again."""

    def __init__(
        self, name: str, urls: str, listing: Path | None = None, resolve: Resolve = resolve
    ) -> None:
        """Take `urls`, separated by commas, unless the file `listing` names this model server.

        It holds a JSON object: lists of URLs by name.
        """
        self.name = name
        self._urls = tuple(URL(url.strip()) for url in urls.split(","))
        self._listing = listing
        self._resolve = resolve
        self._known: dict[URL, tuple[str, ...]] = {}

    async def look_up(self) -> tuple[str, ...]:
        """Every address, each once.

        What cannot be looked up now stays as it was: a name service that is down must not take the
        replicas with it.
        """
        listed = self._listed()
        for url in listed:
            try:
                self._known[url] = await self._addresses_of(url)
            except OSError as error:
                log.warning("no address for %s (%s): %s", self.name, url, error)
        self._known = {url: found for url, found in self._known.items() if url in listed}
        return tuple(
            dict.fromkeys(address for url in listed for address in self._known.get(url, ()))
        )

    def _listed(self) -> tuple[URL, ...]:
        if self._listing is None:
            return self._urls
        try:
            listed = json.loads(self._listing.read_text()).get(self.name)
        except (OSError, ValueError):  # not there yet
            return tuple(self._known) or self._urls
        return tuple(map(URL, listed)) if listed else self._urls

    async def _addresses_of(self, url: URL) -> tuple[str, ...]:
        # An address needs no look-up, and a certificate is for the name.
        if url.scheme == "https" or _is_address(url.host or ""):
            return (str(url),)
        found = await self._resolve(url.host or "", url.port or 80)
        return tuple(str(url.with_host(address)) for address in found)
