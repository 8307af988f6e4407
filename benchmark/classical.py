"""A photo service as one would write it first, to compare with: `python -m benchmark.classical`.

Three FastAPI applications, one process each: a front, a detector (mean grey under 115 is dark) and
an enhancer (gamma 1.5). A photo is uploaded as a form twice and decoded twice. As it is, the front
builds an HTTP client for each request, which reads the certificates of the world every time;
`--mended` keeps one. It finds one defect by a rule where Darkroom diagnoses nine by a network, and
answers at OpenCV's quality of 95.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import cv2
import httpx
import numpy as np
from fastapi import FastAPI, File, Response, UploadFile

DARK_BELOW = 115.0
GAMMA = 1.5
CURVE = np.array([(level / 255) ** (1 / GAMMA) * 255 for level in range(256)], np.uint8)
FRONT, DETECTOR, ENHANCER = range(3)  # ports, counted from the front's

Photo = Annotated[UploadFile, File()]

_first_port = int(os.environ.get("CLASSICAL_PORT", "9100"))
_is_mended = os.environ.get("CLASSICAL_MENDED") == "1"
_kept: dict[str, httpx.AsyncClient] = {}


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    if not _is_mended:
        async with httpx.AsyncClient(timeout=30) as client:  # the mistake
            yield client
        return
    if "client" not in _kept:
        _kept["client"] = httpx.AsyncClient(timeout=30)
    yield _kept["client"]


def _address(which: int, path: str) -> str:
    return f"http://127.0.0.1:{_first_port + which}{path}"


front, detector, enhancer = FastAPI(), FastAPI(), FastAPI()


@front.post("/enhance_image")
async def enhance_image(image: Photo) -> Response:
    body = await image.read()
    async with _client() as client:
        found = await client.post(_address(DETECTOR, "/detect"), files={"image": body})
        if not found.json():
            return Response(status_code=204)
        mended = await client.post(_address(ENHANCER, "/enhance"), files={"image": body})
    return Response(mended.content, media_type="image/jpeg")


@detector.post("/detect")
async def detect(image: Photo) -> list[str]:
    grey = cv2.cvtColor(_decode(await image.read()), cv2.COLOR_BGR2GRAY)
    return ["low_light"] if float(grey.mean()) < DARK_BELOW else []


@enhancer.post("/enhance")
async def enhance(image: Photo) -> Response:
    _, encoded = cv2.imencode(".jpg", cv2.LUT(_decode(await image.read()), CURVE))
    return Response(encoded.tobytes(), media_type="image/jpeg")


def _decode(body: bytes) -> "cv2.typing.MatLike":
    picture = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("not a picture")
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.classical", description=__doc__)
    parser.add_argument("--port", type=int, default=9100, help="the front's; two more follow")
    parser.add_argument("--mended", action="store_true", help="one HTTP client for all requests")
    options = parser.parse_args()
    environment = os.environ | {
        "CLASSICAL_PORT": str(options.port),
        "CLASSICAL_MENDED": "1" if options.mended else "0",
    }
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    processes = []
    for which, name in ((FRONT, "front"), (DETECTOR, "detector"), (ENHANCER, "enhancer")):
        command = [sys.executable, "-m", "uvicorn", f"benchmark.classical:{name}"]
        command += ["--port", str(options.port + which), "--log-level", "warning"]
        processes.append(subprocess.Popen(command, env=environment))
    try:
        for process in processes:
            process.wait()
    finally:
        for process in processes:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
