"""A large file over HTTP, resumed where it broke off."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0  # for a connection, and between two pieces
TRIES = 3  # of one address; each goes on where the last one broke off

Progress = Callable[[int], None]  # bytes that are there by now


class FetchError(Exception):
    """The file could not be fetched; the message says why, for the person at the terminal."""


def download(url: str, part: Path, size_bytes: int, progress: Progress = lambda _: None) -> None:
    """Complete the file `part`, which may hold a beginning already; it keeps what has arrived.

    Raises:
        FetchError: the server refuses, sends something of another size, or breaks off repeatedly.
    """
    trouble: Exception | str = ""
    for _ in range(TRIES):
        try:
            _go_on(url, part, size_bytes, progress)
            if _size(part) == size_bytes:
                return
            trouble = "the connection broke off"
        except urllib.error.HTTPError as error:
            error.close()
            raise FetchError(f"{url} answers {error.code} {error.reason}.") from error
        except (OSError, http.client.HTTPException) as error:
            trouble = error
    raise FetchError(
        f"{url}: {trouble}. {_size(part):,} of {size_bytes:,} bytes are kept; "
        "the same command goes on from there."
    )


def _go_on(url: str, part: Path, size_bytes: int, progress: Progress) -> None:
    have = _size(part)
    if have >= size_bytes:
        if have > size_bytes:
            part.unlink()
            have = 0
        else:
            return
    request = urllib.request.Request(url, headers={"User-Agent": "darkroom"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
        resumed = reply.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not str(reply.headers["Content-Range"]).startswith(f"bytes {have}-"):
            raise FetchError(f"{url} sends another part than the one asked for.")
        have = have if resumed else 0  # some servers send all of it, whatever was asked
        announced = reply.headers["Content-Length"]
        if announced is not None and have + int(announced) != size_bytes:
            kind = reply.headers.get_content_type()
            raise FetchError(
                f"{url} sends {have + int(announced):,} bytes of {kind}, not the {size_bytes:,} "
                "of the official file."
            )
        with part.open("ab" if resumed else "wb") as file:
            while have < size_bytes and (chunk := reply.read(CHUNK_BYTES)):
                file.write(chunk[: size_bytes - have])
                have += len(chunk)
                progress(min(have, size_bytes))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
