"""Model servers of a few lines, asked by HTTP as real ones are."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply, StageTimes
from darkroom.trial.replica import Replica


@dataclass
class FakeServer:
    """A `tone` that leaves every photo alone, or does what `answer` says."""

    version: str = "1.0+old"
    cpu_ms: float = 20.0
    answer: Callable[[int], int] = lambda _: 204  # number of the photo → status
    asked: int = 0

    @contextmanager
    def running(self) -> Iterator[Replica]:
        fake = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                fake.asked += 1
                by = ModelReply(
                    model="tone",
                    version=fake.version,
                    weights_sha256="0" * 12,
                    device="cpu",
                    stages=StageTimes(network_ms=fake.cpu_ms),
                    cpu_ms=fake.cpu_ms,
                )
                self.send_response(fake.answer(fake.asked))
                self.send_header(MODEL, by.model_dump_json())
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Replica("tone", f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
