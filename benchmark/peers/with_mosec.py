"""A model server by MOSEC: `python -m benchmark.peers.with_mosec NAME PORT WORKERS`.

MOSEC hands its workers a body and nothing else, and takes the same back. So headers travel as a
line of JSON before the photo, both ways; `benchmark/peers/enveloping.py` is the other end.
"""

import json
import os
import sys

from mosec import Server, Worker

from benchmark.unserved import Context, Unserved


class Model(Worker):
    """One handler in each worker."""

    def __init__(self) -> None:
        super().__init__()
        self._unserved = Unserved(os.environ["PEER_NAME"])

    def deserialize(self, data: bytes) -> bytes:
        return data

    def forward(self, data: bytes) -> bytes:
        line, _, photo = data.partition(b"\n")
        context = Context(json.loads(line))
        body = self._unserved.answer(photo, context)
        return json.dumps({"status": context.status, **context.told}).encode() + b"\n" + body

    def serialize(self, data: bytes) -> bytes:
        return data


def main() -> None:
    name, port, workers = sys.argv[1:]
    os.environ["PEER_NAME"] = name
    # MOSEC reads its own options from the command line, in its workers, too.
    sys.argv[1:] = ["--address", "127.0.0.1", "--port", port, "--timeout", "60000"]
    server = Server()
    server.append_worker(Model, num=int(workers), route=f"/predictions/{name}")
    server.run()


if __name__ == "__main__":
    main()
