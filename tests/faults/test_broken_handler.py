"""A real TorchServe whose handler fails in every way: coded answers in time, then good ones."""

import asyncio
import json
import subprocess
import time
import zipfile
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from darkroom.cluster.servers import Layout, free_ports, lay_out
from tests.gateway.photos import a_photo
from tests.gateway.process import gateway_process
from tests.gateway.replica import a_diagnosis, a_model_reply

pytestmark = pytest.mark.faults

UP_WITHIN_S = 240.0  # bounds a hang, as does the next
BACK_WITHIN_S = 120.0
HANDLER = """
import os, time

class Faulty:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        payload = bytes(data[0]["body"])
        if payload.endswith(b"raises"):
            raise RuntimeError("secret")
        if payload.endswith(b"no memory"):
            raise MemoryError
        if payload.endswith(b"hangs"):
            time.sleep(3600)
        if payload.endswith(b"exits"):
            os._exit(137)
        context.set_response_header(0, "X-Darkroom-Model", {reply!r})
        return [{diagnosis!r}] * (2 if payload.endswith(b"doubles") else 1)
"""
CONFIG = "minWorkers: 1\nmaxWorkers: 1\nbatchSize: 1\nresponseTimeout: 3\nstartupTimeout: 120\n"
MODEL = {"modelName": "defects", "modelVersion": "1.0"}


@pytest.fixture
def model_server(tmp_path, tmp_path_factory) -> Iterator[str]:
    """The address of a TorchServe that serves the handler above as `defects`."""
    with zipfile.ZipFile(tmp_path / "defects.mar", "w") as archive:
        reply, diagnosis = a_model_reply("defects"), a_diagnosis(low_light=0.9)
        said = {"reply": reply.model_dump_json(), "diagnosis": diagnosis.model_dump_json()}
        archive.writestr("faulty.py", HANDLER.format(**said))
        archive.writestr("config.yaml", CONFIG)
        named = MODEL | {"handler": "faulty.py", "configFile": "config.yaml"}
        manifest = {"runtime": "python", "model": named, "archiverVersion": "0.12.0"}
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps(manifest))
    short = tmp_path_factory.mktemp("ts")  # the path of a worker's socket must be short
    layout = Layout("127.0.0.1", next(free_ports(19_400)), tmp_path, tmp_path, short)
    server = lay_out(layout)[0]
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server.command, cwd=server.folder, env=server.environment, stdout=log, stderr=log
        )
    yield server.environment["TS_INFERENCE_ADDRESS"]
    process.terminate()
    process.wait(60)


@pytest.fixture
async def client(model_server) -> AsyncIterator[aiohttp.ClientSession]:
    async with gateway_process(model_server, DARKROOM_BUDGET_MS="1000") as (_, client):
        await until_diagnosed(client, UP_WITHIN_S)
        yield client


async def diagnosed(client: aiohttp.ClientSession, photo: bytes) -> tuple[int, str]:
    """(status, code) of the answer."""
    async with client.post("/diagnose", data=photo) as reply:
        text = await reply.text()
        assert "secret" not in text
        return reply.status, json.loads(text).get("code", "")


async def until_diagnosed(client: aiohttp.ClientSession, within_s: float) -> float:
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while (await diagnosed(client, a_photo()))[0] != 200:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.1)
    return time.monotonic() - began


FAULTS = {
    "raises": {(503, "replica_unavailable")},
    "no memory": {(503, "replica_unavailable")},
    "doubles": {(503, "replica_unavailable")},
    "hangs": {(504, "out_of_time")},
    "exits": {(503, "replica_unavailable"), (504, "out_of_time")},
}


async def test_broken_handler_costs_its_own_photo_and_heals(client):
    """An exception, two replies for one photo, a hang, exit 137: a code each, then good photos."""
    for fault, expected in FAULTS.items():
        began = time.monotonic()
        answer = await diagnosed(client, a_photo() + fault.encode())
        answered_s = time.monotonic() - began
        healed_s = await until_diagnosed(client, BACK_WITHIN_S)
        print(f"{fault}: {answer} after {answered_s:.2f} s, well again after {healed_s:.1f} s")
        assert answer in expected
        assert answered_s < 10  # far from the hour that the handler would take
