"""The services that take part: each with its own processes on the same machine.

Each is the same gateway before two model servers, `defects` and `tone`, with the same handlers and
the same number of workers; what serves the handlers differs. Darkroom's share photos in memory with
the gateway. To the frameworks photos are sent, which is how they are used; with "sharing" behind
their names the gateway and the same handlers do it there, too.
"""

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmark.open_loop import NO_CACHE
from benchmark.processes import LOGS, PROJECT, Processes
from darkroom.cluster.environment import model_server_environment
from darkroom.cluster.scaling import ask_to_scale
from darkroom.cluster.servers import kernels_folder, shared_folder
from darkroom.contracts.sharing import FOLDER_VARIABLE

MODELS = ("defects", "tone")
READY_WITHIN_S = 300.0


@dataclass(frozen=True)
class Contestant:
    name: str
    url: str  # of its /enhance_image
    processes: Processes


@dataclass(frozen=True)
class Terms:
    """On which one takes part."""

    port: int  # the first of ten
    workers: int  # of each model server


Start = Callable[[ExitStack, Terms], Contestant]


def darkroom(stack: ExitStack, terms: Terms) -> Contestant:
    """As `darkroom up` starts it, with these two model servers."""
    store = LOGS / "store"
    store.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        link = store / f"{name}.mar"
        link.unlink(missing_ok=True)
        link.symlink_to(PROJECT / "model-store" / f"{name}.mar")
    processes = Processes(stack, "darkroom")
    command = ("darkroom.cli", "up", "--port", str(terms.port), "--model-store", str(store))
    processes.start(*command)
    return Contestant("darkroom", f"http://127.0.0.1:{terms.port}", processes)


async def scale(port: int, workers: int) -> None:
    await ask_to_scale(port, dict.fromkeys(MODELS, workers), lambda _: None)


def classical(stack: ExitStack, terms: Terms) -> Contestant:
    """The service as one would write it first."""
    processes = Processes(stack, "classical")
    processes.start("benchmark.classical", "--port", str(terms.port))
    return Contestant("classical", f"http://127.0.0.1:{terms.port}", processes)


def mended(stack: ExitStack, terms: Terms) -> Contestant:
    """The same without its costliest mistake."""
    processes = Processes(stack, "mended")
    processes.start("benchmark.classical", "--port", str(terms.port), "--mended")
    return Contestant("classical, mended", f"http://127.0.0.1:{terms.port}", processes)


def peer(name: str, gateway: str = "gateway", *, sharing: bool = False) -> Start:
    """Another framework in TorchServe's place, behind our gateway."""

    def start(stack: ExitStack, terms: Terms) -> Contestant:
        shown = f"{name}, sharing" if sharing else name
        shared = shared_memory(stack, terms.port) if sharing else {FOLDER_VARIABLE: ""}
        environment = model_server_environment(shared, kernels_folder())
        processes, urls = Processes(stack, shown), {}
        for number, model in enumerate(MODELS, start=1):
            module, port = f"benchmark.peers.with_{name}", terms.port + number
            words = (model, str(port), str(terms.workers))
            processes.start(module, *words, environment=environment)
            urls[f"DARKROOM_{model.upper()}_URL"] = f"http://127.0.0.1:{port}"
        depth = {"DARKROOM_REPLICA_DEPTH": str(2 * terms.workers)}
        own = shared | depth | {"DARKROOM_PORT": str(terms.port)}
        processes.start(gateway, environment=urls | own)
        return Contestant(shown, f"http://127.0.0.1:{terms.port}", processes)

    return start


def shared_memory(stack: ExitStack, port: int) -> dict[str, str]:
    """The variable that names a folder in memory, which is removed with `stack`."""
    folder = shared_folder(port)
    if folder is not None:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return {FOLDER_VARIABLE: str(folder or "")}


ALL: dict[str, Start] = {
    "darkroom": darkroom,
    "litserve": peer("litserve"),
    "bentoml": peer("bentoml"),
    "mosec": peer("mosec", "benchmark.peers.enveloping"),
    "bentoml_sharing": peer("bentoml", sharing=True),
    "mosec_sharing": peer("mosec", "benchmark.peers.enveloping", sharing=True),
    "classical": classical,
    "mended": mended,
}


async def until_ready(contestant: Contestant, photo: bytes) -> None:
    """Wait until it mends a dark photo.

    Raises:
        RuntimeError: it does not come up.
    """
    deadline, url = time.monotonic() + READY_WITHIN_S, f"{contestant.url}/enhance_image"
    async with aiohttp.ClientSession(headers=NO_CACHE) as session:
        while time.monotonic() < deadline:
            form = aiohttp.FormData()
            form.add_field("image", photo, filename="photo.jpg", content_type="image/jpeg")
            try:
                async with session.post(url, data=form) as reply:
                    if reply.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.3)
    raise RuntimeError(f"{contestant.name} does not come up: see {_shown(LOGS)}")


def _shown(folder: Path) -> Path:
    return folder.relative_to(PROJECT)
