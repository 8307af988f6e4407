"""Calls to addresses that a client names: webhooks, and what they must not become.

A webhook may not be a way into the operator's network (SSRF). So the name is resolved here, every
address it has must be a public one, and the connection goes to those very addresses: a name that
resolves to something else a moment later changes nothing. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from darkroom.contracts.errors import ForbiddenAddress

CALL_S = 10.0
RESOLVE_S = 3.0
MAX_URL = 2000
_SCHEMES = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address, and any IPv4 address it carries, belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64 or int(ip) < 1 << 32:  # the second: IPv4-compatible, long out of use
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    carried = [v4 for v4 in inner if v4 is not None]
    if carried:
        return ip.ipv4_mapped is None and all(is_public(str(v4)) for v4 in carried)
    return ip.is_global and not ip.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves names to public addresses only; `trusted` hosts may have any."""

    def __init__(self, trusted: Collection[str] = ()) -> None:
        self._trusted = trusted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises `ForbiddenAddress` unless all addresses may be reached."""
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    host, port, type=socket.SOCK_STREAM, family=family
                )
        except (OSError, TimeoutError, UnicodeError) as error:
            raise ForbiddenAddress("The webhook's host has no address.") from error
        if host not in self._trusted and not all(is_public(str(entry[4][0])) for entry in found):
            raise ForbiddenAddress()
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        return None


async def check_address(url: str, resolver: GuardedResolver) -> None:
    """Raise `ForbiddenAddress` unless a webhook may go there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenAddress() from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    if not is_plain or parts.scheme not in _SCHEMES or not host or parts.username is not None:
        raise ForbiddenAddress()
    # A literal address passes here too: the HTTP client would not ask the resolver for it.
    await resolver.resolve(host, port or _SCHEMES[parts.scheme])


async def post_outside(
    url: str, body: bytes, headers: dict[str, str], resolver: GuardedResolver
) -> int:
    """Post JSON to a client's address; the status of the answer, whose body is not read.

    Raises:
        ForbiddenAddress: it must not be called.
        aiohttp.ClientError, TimeoutError: it did not answer.
    """
    await check_address(url, resolver)
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
    async with (
        aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=CALL_S),
            trust_env=False,
        ) as session,
        session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json"} | headers,
            allow_redirects=False,
        ) as reply,
    ):
        return reply.status
