"""A web server with one file, and ways for it to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    content: bytes
    url: str = ""
    breaks_after: list[int] = field(default_factory=list)  # bytes of each coming answer
    knows_ranges: bool = True
    skips: int = 0  # bytes by which it answers behind the place that was asked for
    status: int = 200
    media_type: str = "application/octet-stream"
    ranges: list[str] = field(default_factory=list)  # as they were asked for, "" for none


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """The server on a free port, in a thread of its own."""
    told = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            told.ranges.append(asked)
            start = int(asked[6:-1]) + told.skips if asked and told.knows_ranges else 0
            self.send_response(206 if start else told.status)
            self.send_header("Content-Type", told.media_type)
            self.send_header("Content-Length", str(len(told.content) - start))
            if start:
                size = len(told.content)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            most = told.breaks_after.pop(0) if told.breaks_after else len(told.content)
            with suppress(ConnectionError):  # whoever has seen enough hangs up
                self.end_headers()
                self.wfile.write(told.content[start : start + most])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/weights.pth"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
