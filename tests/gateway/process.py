"""A gateway in a process of its own, as operators start it."""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]
STARTED_WITHIN_S = 120.0  # bounds a hang; an idle machine takes one second


@asynccontextmanager
async def gateway_process(
    model_server: str, **environment: str
) -> AsyncIterator[tuple[Process, aiohttp.ClientSession]]:
    """A gateway before one model server for everything, and a client of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway"),
        cwd=ROOT,
        stderr=DEVNULL,
        env={
            "DARKROOM_PORT": str(port),
            "DARKROOM_DEFECTS_URL": model_server,
            "DARKROOM_TONE_URL": model_server,
            "DARKROOM_BUDGET_MS": "5000",
            **environment,
        },
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            async with asyncio.timeout(STARTED_WITHIN_S):
                await _until_listening(port)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
