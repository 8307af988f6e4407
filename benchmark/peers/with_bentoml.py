"""A model server by BentoML: `python -m benchmark.peers.with_bentoml NAME PORT WORKERS`.

Its own inputs would write each photo to a temporary file; an ASGI application mounted in its
workers gets headers and raw body as they came.
"""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmark.unserved import Context, Unserved

_one_thread = ThreadPoolExecutor(1)  # a handler takes one photo at a time
_loaded: dict[str, Unserved] = {}


async def _predict(request: Request) -> Response:
    context, photo = Context(dict(request.headers)), await request.body()
    unserved, loop = _loaded[request.path_params["name"]], asyncio.get_running_loop()
    body = await loop.run_in_executor(_one_thread, unserved.answer, photo, context)
    return Response(body, context.status, context.told)


_app = Starlette(routes=[Route("/{name}", _predict, methods=["POST"])])


@bentoml.service(
    workers=int(os.environ.get("PEER_WORKERS", "1")),
    traffic={"timeout": 60},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
@bentoml.asgi_app(_app, path="/predictions")
class Model:
    """One handler in each worker."""

    def __init__(self) -> None:
        name = os.environ["PEER_NAME"]
        _loaded[name] = Unserved(name)


def main() -> None:
    name, port, workers = sys.argv[1:]
    os.environ |= {"PEER_NAME": name, "PEER_WORKERS": workers, "BENTOML_DO_NOT_TRACK": "1"}
    command = ("-m", "bentoml", "serve", "benchmark.peers.with_bentoml:Model")
    os.execv(sys.executable, (sys.executable, *command, "--host", "127.0.0.1", "--port", port))


if __name__ == "__main__":
    main()
