"""The page: the files that `make page` builds, held in memory and sent as they are.

Where it has not been built, `/` leads to the documentation instead.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

INDEX = "index.html"
PAGES = ("/", "/compare")  # one document; its script looks at the address
ASSETS = "assets"  # Vite puts a digest into these files' names: what they hold never changes
NOT_BUILT = "/docs"

# Nothing but the page's own files and pictures made by itself: no inline script or style, no other
# host, no frame around it.
_POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"  # kept, but asked about each time: by the ETag
_SHRINKS = {".css", ".html", ".js", ".svg"}


@dataclass(frozen=True)
class File:
    """A file of the page, ready to be sent."""

    content: bytes
    compressed: bytes | None  # None where it would not shrink
    media_type: str
    etag: str
    kept: str  # the value of Cache-Control

    def answer(self, request: web.Request) -> web.Response:
        told = {**_POLICY, "Cache-Control": self.kept, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=told)
        body = self.content
        if self.compressed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body, told["Content-Encoding"] = self.compressed, "gzip"
        told["Content-Type"] = self.media_type
        return web.Response(body=body, headers=told)


def page_routes(folder: Path) -> list[web.RouteDef]:
    """Routes to every file of the built page, `PAGES` to its index; or `/` to the documentation."""
    files = dict(_read(folder))
    if INDEX not in files:
        return [web.get("/", _to_documentation)]
    index = _sender(files.pop(INDEX))
    return [
        *(web.get(path, index) for path in PAGES),
        *(web.get(f"/{path}", _sender(file)) for path, file in files.items()),
    ]


def _read(folder: Path) -> Iterator[tuple[str, File]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content, name = path.read_bytes(), path.relative_to(folder).as_posix()
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        yield (
            name,
            File(
                content=content,
                compressed=gzip.compress(content, mtime=0) if path.suffix in _SHRINKS else None,
                media_type=f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed,
                etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"',
                kept=_FOR_EVER if name.startswith(f"{ASSETS}/") else _ASK_FIRST,
            ),
        )


def _sender(file: File) -> Handler:
    async def send(request: web.Request) -> web.Response:
        return file.answer(request)

    return send


async def _to_documentation(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": NOT_BUILT})
