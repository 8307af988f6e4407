"""What the gateway itself can do: `python -m benchmark.gateway_limit`.

Behind it are model servers without a network, which sleep for 20 ms and say what was asked for.
Measured are the time that the gateway adds for one client, the photos of 50 KB a second that one
core takes, the throughput of one to eight replicas, each of which works on one photo at a time, and
what comes of three times as many photos as one replica can do. The bounds were set where decoding
and encoding a photo of 1280×960 takes 6.1 ms of one core: that floor is measured beside them.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import psutil
import simplejpeg
from aiohttp import web

from benchmark.open_loop import NO_CACHE, offer
from benchmark.photos import SIZES, make_photo
from benchmark.plots import plot_replicas
from darkroom.contracts import headers
from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.report import ModelReply, StageTimes

RESULTS = Path(__file__).parent / "results"
SLEEP_MS = 20.0
PHOTO = (640, 480, 50_000)
FLOOR_THERE_MS = 6.1


def toy_replica(port: int, sleep_ms: float) -> None:
    """A model server that finds nothing, one photo at a time."""
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


def floor_ms(rounds: int = 25) -> float:
    """CPU milliseconds that decoding and encoding a photo of 1280×960 takes here."""
    photo, times = make_photo("coffee", *SIZES["1.2 Mpx"]), []
    for _ in range(rounds):
        spent = time.process_time()
        pixels = simplejpeg.decode_jpeg(photo)
        simplejpeg.encode_jpeg(pixels, quality=90, colorsubsampling="420")
        times.append((time.process_time() - spent) * 1000)
    return statistics.median(times)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Gateway:
    """A gateway in front of so many toys, in processes of their own."""

    def __init__(self, stack: ExitStack, replicas: int, sleep_ms: float) -> None:
        toys = [free_port() for _ in range(replicas)]
        for port in toys:
            toy = (sys.executable, "-m", "benchmark.gateway_limit", "--toy", f"{port},{sleep_ms}")
            self._start(stack, toy, {})
        self.replicas = [f"http://127.0.0.1:{port}" for port in toys]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/enhance_image?budget_ms=60000"  # none is refused
        environment = {
            "DARKROOM_PORT": str(port),
            "DARKROOM_DEFECTS_URL": ",".join(self.replicas),
            "DARKROOM_TONE_URL": "",
        }
        self.process = self._start(stack, (sys.executable, "-m", "gateway"), environment)

    @staticmethod
    def _start(
        stack: ExitStack, command: tuple[str, ...], environment: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        return process

    async def until_ready(self, session: aiohttp.ClientSession, photo: bytes) -> None:
        for _ in range(300):
            try:
                async with session.post(self.url, data=photo) as reply:
                    if reply.status == 204:
                        await asyncio.sleep(1.5)  # for the probes of the other replicas
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
        raise RuntimeError("the gateway does not come up")


async def closed_loop(
    session: aiohttp.ClientSession, url: str, photo: bytes, clients: int, seconds: float
) -> list[float]:
    """The latencies, in ms, of clients that each send the next photo after an answer."""
    times: list[float] = []
    deadline = time.perf_counter() + seconds

    async def client() -> None:
        while (began := time.perf_counter()) < deadline:
            async with session.post(url, data=photo) as reply:
                await reply.read()
                if reply.status in (200, 204):
                    times.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(client() for _ in range(clients)))
    return times


async def measure(seconds: float, replica_counts: list[int]) -> dict[str, object]:
    photo = make_photo("coffee", *PHOTO)
    document: dict[str, object] = {"machine": platform.machine(), "load": os.getloadavg()[0]}
    slower = floor_ms() / FLOOR_THERE_MS
    document["slower_than_there"] = round(slower, 2)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=NO_CACHE) as session:
        with ExitStack() as stack:
            gateway = Gateway(stack, 1, 0)
            await gateway.until_ready(session, photo)
            direct = f"{gateway.replicas[0]}/predictions/defects"
            await closed_loop(session, gateway.url, photo, 1, 2)  # all code has been run once
            through = await closed_loop(session, gateway.url, photo, 1, seconds)
            alone = await closed_loop(session, direct, photo, 1, seconds)
            added = statistics.median(through) - statistics.median(alone)
            document["added_p50_ms"] = round(added, 2)
            document["added_p50_ms_there"] = round(added / slower, 2)
            cpu = psutil.Process(gateway.process.pid)
            before = sum(cpu.cpu_times()[:2])
            answered = len(await closed_loop(session, gateway.url, photo, 16, seconds))
            used = sum(cpu.cpu_times()[:2]) - before
            document["photos_per_core_s"] = round(answered / used, 1)
            document["photos_per_core_s_there"] = round(answered / used * slower, 1)
        throughput = {}
        for count in replica_counts:
            with ExitStack() as stack:
                gateway = Gateway(stack, count, SLEEP_MS)
                await gateway.until_ready(session, photo)
                times = await closed_loop(session, gateway.url, photo, 3 * count, seconds)
                throughput[count] = round(len(times) / seconds, 1)
        with ExitStack() as stack:
            gateway = Gateway(stack, 1, SLEEP_MS)
            await gateway.until_ready(session, photo)
            # So that it knows what photos cost.
            await closed_loop(session, gateway.url, photo, 2, 2)
            url = gateway.url.partition("?")[0]
            overload = await offer(url, [photo], 3 * 1000 / SLEEP_MS, seconds)
            document["overload"] = overload.as_json()
        document["throughput_by_replicas"] = throughput
        first = replica_counts[0]
        document["share_of_linear"] = {
            count: round(each / (throughput[first] / first * count), 3)
            for count, each in throughput.items()
        }
    if throughput:
        plot_replicas(throughput, RESULTS / "gateway_limit.png")
    return document


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.gateway_limit", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--replicas", default="1,2,4,8")
    parser.add_argument("--toy", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.toy:
        port, sleep_ms = options.toy.split(",")
        toy_replica(int(port), float(sleep_ms))
        return
    RESULTS.mkdir(exist_ok=True)
    counts = [int(word) for word in options.replicas.split(",")]
    document = asyncio.run(measure(options.seconds, counts))
    (RESULTS / "gateway_limit.json").write_text(json.dumps(document, indent=2) + "\n")
    for name, value in document.items():
        print(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
