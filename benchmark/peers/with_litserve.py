"""A model server by LitServe: `python -m benchmark.peers.with_litserve NAME PORT WORKERS`.

LitServe reads JSON or forms. Its request type is FastAPI's annotation, though, so a dependency
gives it headers and raw body as they came.
"""

import sys
from typing import Annotated

import litserve
from fastapi import Depends, Request, Response

from benchmark.unserved import Context, Unserved

Sent = tuple[dict[str, str], bytes]


async def _as_it_came(request: Request) -> Sent:
    return dict(request.headers), await request.body()


class Model(litserve.LitAPI):  # type: ignore[misc]
    """One handler in each worker."""

    def __init__(self, name: str) -> None:
        super().__init__(api_path=f"/predictions/{name}")
        self._name = name

    def setup(self, device: str) -> None:  # noqa: ARG002
        self._unserved = Unserved(self._name)

    def decode_request(self, request: Annotated[Sent, Depends(_as_it_came)]) -> Sent:
        return request

    def predict(self, sent: Sent) -> Response:
        context = Context(sent[0])
        body = self._unserved.answer(sent[1], context)
        return Response(body, context.status, context.told)

    def encode_response(self, output: Response) -> Response:
        return output


def main() -> None:
    name, port, workers = sys.argv[1:]
    server = litserve.LitServer(
        Model(name), accelerator="cpu", workers_per_device=int(workers), timeout=60
    )
    server.run(
        host="127.0.0.1",
        port=int(port),
        generate_client_file=False,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
