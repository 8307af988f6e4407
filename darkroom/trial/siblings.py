"""Who serves a model now: the replicas that its address stands for, and their versions."""

import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from darkroom.contracts.report import ModelReply
from darkroom.trial.replica import NoAnswer, Replica
from darkroom.trial.samples import Sample


def version_of(reply: ModelReply) -> str:
    return f"{reply.version} of {reply.weights_sha256}"


def established_sibling(
    model: str, urls: Iterable[str], version: str, sample: Sample
) -> tuple[Replica, str] | None:
    """A replica of another version, with that version.

    None where there is no other, or where one of `version` serves already: that was tried.
    """
    other = None
    for url in _addresses(urls):
        replica = Replica(model, url)
        try:
            found = version_of(replica.ask(sample).by)
        except NoAnswer:
            continue
        if found == version:
            return None
        other = other or (replica, found)
    return other


def _addresses(urls: Iterable[str]) -> Iterator[str]:
    """Every address of each URL's host; none of a name that is not known."""
    for url in urls:
        parts = urlsplit(url)
        try:
            found = socket.getaddrinfo(
                parts.hostname, parts.port, socket.AF_INET, socket.SOCK_STREAM
            )
        except OSError:
            continue
        yield from (f"{parts.scheme}://{there[0]}:{parts.port}" for *_, there in found)
