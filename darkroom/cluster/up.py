"""`darkroom up`: start the cluster, say what happens, stop it."""

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from darkroom.client import Unreachable
from darkroom.cluster.readiness import draw_dark_room, first_photo, ready_servers
from darkroom.cluster.scaling import Scaling
from darkroom.cluster.server import Server
from darkroom.cluster.servers import PROJECT, ClusterError, Layout, lay_out, shared_folder
from darkroom.cluster.supervisor import Say, Supervisor
from darkroom.contracts.errors import ServiceError

READY_WITHIN_S = 600.0  # bounds a hang: what cannot start is given up sooner
TRIES_BEFORE_READY = 3  # a server that ends so often before the first photo will not come up
WORKER_ENDED = "Backend worker process died"  # TorchServe's words; it would try for five minutes


async def run_cluster(host: str, port: int, model_store: Path | None, say: Say) -> None:
    """Run the cluster until Ctrl-C or SIGTERM; the project's own archives unless told otherwise.

    Raises:
        ClusterError: it cannot start; whatever had been started is ended again.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    run_folder = PROJECT / "var" / str(port)
    # Under the system's own folder: a worker's socket must have a short path.
    temporary = Path(tempfile.mkdtemp(prefix="darkroom-"))
    shared = shared_folder(port)
    folders = (temporary, shared) if shared else (temporary,)
    try:
        store = model_store or PROJECT / "model-store"
        layout = Layout(host, port, store, run_folder, temporary, shared)
        servers = lay_out(layout)
        async with Supervisor(folders, say) as supervisor:
            await _run(layout, servers, supervisor, stop, say)
            say("Stopping.")
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(
    layout: Layout,
    servers: tuple[Server, ...],
    supervisor: Supervisor,
    stop: asyncio.Event,
    say: Say,
) -> None:
    began = time.monotonic()
    say(f"Starting {', '.join(server.name for server in servers)}. Logs: {layout.run_folder}")
    scaling = Scaling(layout, servers, supervisor, say)
    for server in servers:
        server.log.unlink(missing_ok=True)
        supervisor.keep_running(server, scaling.at_free_ports)
    started = _come_up(layout, servers, supervisor, began, say)
    if not await _unless_stopped(stop, started):
        return
    total = supervisor.total_bytes() / 1e6
    say(f"Darkroom listens at {layout.url} ({total:.0f} MB in all). Ctrl-C stops it.")
    await _unless_stopped(stop, scaling.follow())


async def _come_up(
    layout: Layout, servers: tuple[Server, ...], supervisor: Supervisor, began: float, say: Say
) -> None:
    """Report each server as it becomes ready, then send the first photo."""
    dark_photo = draw_dark_room()  # now, while the servers start
    waiting = {server.name: server for server in servers}
    while waiting:
        for name in await ready_servers(layout.url) & waiting.keys():
            del waiting[name]
            memory = supervisor.memory_bytes(name) / 1e6
            say(f"{name:<10} ready after {time.monotonic() - began:4.1f} s {memory:6.0f} MB")
        for server in waiting.values():
            _expect_it_yet(server, supervisor, began)
        await asyncio.sleep(0.1)
    sent = time.monotonic()
    try:
        enhanced = await first_photo(layout.url, dark_photo)
    except (ServiceError, Unreachable) as error:
        raise ClusterError(f"The first photo failed: {error} Logs: {layout.run_folder}") from error
    now = time.monotonic()
    verb = "mended" if enhanced.photo else "looked at"
    say(f"A dark photo was {verb} in {(now - sent) * 1e3:.0f} ms, {now - began:.1f} s after start.")


def _expect_it_yet(server: Server, supervisor: Supervisor, began: float) -> None:
    """Give up on a server that keeps ending, whose worker does, or that takes too long."""
    log = server.log.read_text(errors="replace")
    ended = supervisor.failures.get(server.name, 0) + log.count(WORKER_ENDED)
    trouble = ""
    if ended >= TRIES_BEFORE_READY:
        trouble = f"ended {ended} times before it was ready"
    elif time.monotonic() - began > READY_WITHIN_S:
        trouble = f"is not ready after {READY_WITHIN_S:.0f} s"
    if trouble:
        last = "\n".join(log.splitlines()[-30:])
        raise ClusterError(f"{last}\n\n{server.name} {trouble}. Its log: {server.log}")


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work; false where the stop came first."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working not in done:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False
    working.result()
    return True
