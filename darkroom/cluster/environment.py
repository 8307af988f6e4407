"""The environment of a model server: everything its worker reads besides its archive."""

from pathlib import Path

# Buffers of many megabytes come and go with each photo: keeping them instead of handing the pages
# back each time is worth 20–30 % of a worker's time.
_KEEP_BYTES = str(4 << 30)

WORKER_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": _KEEP_BYTES,
    "MALLOC_TRIM_THRESHOLD_": _KEEP_BYTES,
    "MALLOC_ARENA_MAX": "2",  # the JVM's threads would each open an arena of their own
    # One thread a worker, workers = cores: two threads on one core spin against each other.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# Would shadow the archive's own modules, or the command line.
FORBIDDEN = ("PYTHONPATH", "PYTHONHOME", "TS_CONFIG_FILE", "TS_MODEL_SERVER_HOME")


def model_server_environment(inherited: dict[str, str], kernels: Path) -> dict[str, str]:
    """What to start a model server with; machine code is kept in the folder `kernels`.

    Nobody else may write there. Beside its source it would be made anew at each start: archives are
    unpacked into new folders.
    """
    kept = {name: value for name, value in inherited.items() if name not in FORBIDDEN}
    return {**kept, **WORKER_ENVIRONMENT, "DARKROOM_KERNELS": str(kernels)}
