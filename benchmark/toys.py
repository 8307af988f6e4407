"""A gateway in front of model servers without a network: `python -m benchmark.toys PORT SLEEP_MS`.

Such a *toy* takes a photo, sleeps, and says that nothing is wrong with it, one photo at a time.
"""

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import Self

import aiohttp
from aiohttp import web

from darkroom.contracts import headers
from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.report import ModelReply, StageTimes

PROBED_S = 1.5  # after the first photo: the gateway has asked the other replicas by then


def run_toy(port: int, sleep_ms: float) -> None:
    """Serve as the model server `defects` on `port` until ended."""
    one = asyncio.Lock()
    stages = StageTimes(network_ms=sleep_ms)
    reply = ModelReply(
        model="defects", version="0", weights_sha256="none", device="none", stages=stages
    )
    severities, thresholds = dict.fromkeys(Defect, 0.0), dict.fromkeys(Defect, 1.0)
    text = Diagnosis(severities=severities, thresholds=thresholds).model_dump_json()

    async def predict(request: web.Request) -> web.Response:
        await request.read()
        if sleep_ms:
            async with one:
                await asyncio.sleep(sleep_ms / 1000)
        return web.json_response(text=text, headers={headers.MODEL: reply.model_dump_json()})

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/predictions/defects", predict)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


class Gateway:
    """A gateway in front of so many toys, in processes of their own while the context lasts."""

    def __init__(self, replicas: int, sleep_ms: float) -> None:
        self._sleep_ms = sleep_ms
        self._toys = [_free_port() for _ in range(replicas)]
        self._port = _free_port()
        self._stack = ExitStack()
        self.replicas = [f"http://127.0.0.1:{port}" for port in self._toys]
        self.url = f"http://127.0.0.1:{self._port}/enhance_image"

    def __enter__(self) -> Self:
        for port in self._toys:
            self._start("benchmark.toys", str(port), str(self._sleep_ms))
        environment = {
            "DARKROOM_PORT": str(self._port),
            "DARKROOM_DEFECTS_URL": ",".join(self.replicas),
            "DARKROOM_TONE_URL": "",
        }
        self.pid = self._start("gateway", environment=environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self, *module: str, environment: dict[str, str] | None = None) -> int:
        process = subprocess.Popen(
            (sys.executable, "-m", *module),
            env=os.environ | (environment or {}),
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        return process.pid

    async def until_ready(self, session: aiohttp.ClientSession, photo: bytes) -> None:
        """Wait until a photo comes through.

        Raises:
            RuntimeError: none does within a minute.
        """
        for _ in range(300):
            try:
                async with session.post(self.url, data=photo) as reply:
                    if reply.status == 204:
                        await asyncio.sleep(PROBED_S)
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
        raise RuntimeError("the gateway does not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    run_toy(int(sys.argv[1]), float(sys.argv[2]))
