import ctypes
import os
import subprocess
import sys

import pytest

from darkroom.cluster.environment import WORKER_ENVIRONMENT
from darkroom.inference.memory import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_want_of_memory_is_recognised(error, is_it):
    """The ways in which torch, OpenVINO and numpy say it; nothing else."""
    assert is_out_of_memory(error) is is_it


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library")
def test_what_a_worker_has_freed_is_given_back():
    """With a worker's thresholds 64 MB stay after they were freed, until they are given back."""
    program = """
import psutil
from darkroom.inference.memory import give_back_freed

rss = psutil.Process().memory_info
before, freed = rss().rss, b"x" * (64 << 20)
del freed
kept = rss().rss - before
give_back_freed()
print(kept >> 20, rss().rss - before >> 20)
"""

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | WORKER_ENVIRONMENT,
        capture_output=True,
        text=True,
    )

    kept, after = map(int, ended.stdout.split())
    assert kept >= 60
    assert after <= 8
