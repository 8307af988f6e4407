"""Tests of `darkroom.cluster.scaling`: a real supervisor with toy servers, and a toy gateway."""

import asyncio
import json
import os
import socket
import sys
from itertools import islice
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from darkroom.cluster import scaling
from darkroom.cluster.guard import members
from darkroom.cluster.scaling import Scaling, ask_to_scale
from darkroom.cluster.server import Server
from darkroom.cluster.servers import ClusterError, Layout, addresses_at, free_ports
from darkroom.cluster.supervisor import Supervisor


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """Where the command and the cluster meet: `var/<port>` of a project of this test's own."""
    port = next(free_ports(21_000))
    folder = tmp_path / "var" / str(port)
    folder.mkdir(parents=True)
    monkeypatch.setattr(scaling, "PROJECT", tmp_path)
    monkeypatch.setattr(scaling, "NOTICED_AFTER_S", 0.05)
    monkeypatch.setattr(scaling, "LOOK_EVERY_S", 0.05)
    return folder


class ToyGateway:
    """Tells of replicas as the gateway does: those listed are trusted, some have photos."""

    def __init__(self, run_folder):
        self._listing = run_folder / scaling.LISTING
        self.busy: dict[str, int] = {}  # photos by address

    async def metrics(self, _: web.Request) -> web.Response:
        listed = json.loads(self._listing.read_text())
        lines = [
            f'darkroom_replica_trusted{{replica="{url}/",server="{name}"}} 1.0'
            for name, urls in listed.items()
            for url in urls
        ]
        lines += [
            f'darkroom_replica_outstanding{{replica="{url}/",server="tone"}} {count:.1f}'
            for url, count in self.busy.items()
        ]
        return web.Response(text="\n".join(lines))


@pytest.fixture
async def gateway(run_folder):
    toy = ToyGateway(run_folder)
    app = web.Application()
    app.router.add_get("/metrics", toy.metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(run_folder.name)).start()
    yield toy
    await runner.cleanup()


@pytest.fixture
async def cluster(run_folder, gateway, tmp_path, monkeypatch):  # noqa: ARG001 – it has to run
    """Follows what is asked for, with processes that only sleep; yields their supervisor."""

    def toy(name, number):
        environment = os.environ | {
            address: f"http://127.0.0.1:{100 * number + offset}"
            for offset, address in enumerate(scaling._ADDRESSES)
        }
        command = (sys.executable, "-c", "import time; time.sleep(600)")
        return Server(name, command, tmp_path, tmp_path / f"{name}.log", environment)

    monkeypatch.setattr(
        scaling, "another_replica", lambda _, name, number, __: toy(f"{name}.{number}", number)
    )
    layout = Layout("127.0.0.1", int(run_folder.name), tmp_path, run_folder, tmp_path)
    async with Supervisor([tmp_path / "temporary"], lambda _: None) as supervisor:
        first = toy("tone", 1)
        supervisor.keep_running(first)
        follower = Scaling(layout, [first], supervisor, lambda _: None)
        task = asyncio.create_task(follower.follow())
        yield supervisor
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(run_folder, **counts):
    said: list[str] = []
    async with asyncio.timeout(60):
        await ask_to_scale(int(run_folder.name), counts, said.append)
    return said


def running(supervisor):
    return {name for name, process in supervisor._processes.items() if members(process.pid)}


async def until_running(supervisor, names):
    async with asyncio.timeout(60):
        while running(supervisor) != names:  # noqa: ASYNC110 – processes set no events
            await asyncio.sleep(0.02)


async def test_more_replicas_are_started_and_listed(cluster, run_folder):
    """Three are asked for: two more run, and the gateway's list has all of them."""
    assert await ask(run_folder, tone=3) == ["tone: 3 ready"]

    assert running(cluster) == {"tone", "tone.2", "tone.3"}
    listed = json.loads((run_folder / scaling.LISTING).read_text())
    assert listed == {"tone": [f"http://127.0.0.1:{number}00" for number in (1, 2, 3)]}


async def test_fewer_replicas_end_when_their_photos_are_done(cluster, run_folder, gateway):
    """The one that has a photo in hand is off the list at once and ends afterwards."""
    await ask(run_folder, tone=3)
    gateway.busy["http://127.0.0.1:300"] = 1
    await ask(run_folder, tone=1)
    await until_running(cluster, {"tone", "tone.3"})
    await asyncio.sleep(0.3)  # several looks later it is still there
    assert running(cluster) == {"tone", "tone.3"}

    gateway.busy.clear()
    await until_running(cluster, {"tone"})


@pytest.mark.parametrize(
    ("counts", "words"), [({"tune": 2}, "no tune here, but tone"), ({"tone": 0}, "1 to 32")]
)
async def test_what_cannot_be_is_refused(cluster, run_folder, counts, words):
    """A name that is not there, a count of none."""
    with pytest.raises(ClusterError, match=words):
        await ask(run_folder, **counts)
    assert running(cluster) == {"tone"}


# Writes to its log once it listens, or fails as TorchServe does.
LISTENING = """
import os, socket, time
from urllib.parse import urlsplit
addresses = [os.environ[f"TS_{kind}_ADDRESS"] for kind in ("INFERENCE", "MANAGEMENT", "METRICS")]
sockets = [socket.create_server(("127.0.0.1", urlsplit(url).port)) for url in addresses]
print("listens", flush=True)
time.sleep(600)
"""


async def test_a_server_whose_port_is_taken_moves(run_folder, tmp_path):
    """Between choosing and listening somebody has taken its second port: it gets others, alone."""
    ports = [*islice(free_ports(23_000), 6)]
    servers = [
        Server(
            name,
            (sys.executable, "-c", LISTENING),
            tmp_path,
            tmp_path / f"{name}.log",
            os.environ | addresses_at(its),
        )
        for name, its in (("tone", ports[:3]), ("defects", ports[3:]))
    ]
    layout = Layout("127.0.0.1", ports[0] - 1, tmp_path, run_folder, tmp_path)

    with socket.create_server(("127.0.0.1", ports[1])):
        async with Supervisor([tmp_path / "temporary"], lambda _: None) as supervisor:
            follower = Scaling(layout, servers, supervisor, lambda _: None)
            for server in servers:
                supervisor.keep_running(server, follower.at_free_ports)
            async with asyncio.timeout(60):
                while not all(  # noqa: ASYNC110 – processes set no events
                    "listens" in server.log.read_text() for server in servers
                ):
                    await asyncio.sleep(0.02)

            listed = json.loads((run_folder / scaling.LISTING).read_text())
            [tone], [defects] = (listed[name] for name in ("tone", "defects"))
            assert tone not in {f"http://127.0.0.1:{port}" for port in ports}
            assert defects == f"http://127.0.0.1:{ports[3]}"
            socket.create_connection(("127.0.0.1", urlsplit(tone).port)).close()


async def test_without_a_cluster_there_is_nothing_to_scale(run_folder):
    """The error says what starts one."""
    with pytest.raises(ClusterError, match="darkroom up"):
        await ask(run_folder, tone=2)
