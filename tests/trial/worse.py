"""A `tone` that is worse than ours, built as ours is, from sources with a few lines more."""

import shutil
import subprocess
import sys
from pathlib import Path

from handlers.build import PROJECT, STORE

# In which way, the variable WORSE says; where it is empty, it is as good as ours.
DARKER, SLOWER, FAILING = WAYS = ("darker", "slower", "failing")
_LINES = """
import itertools
import os
import time

import numpy as np

from darkroom.contracts.errors import ServiceError

good_apply, way = apply_tone_map, os.environ.get("WORSE", "")
numbers = itertools.count(1)
half = (np.arange(256) * 0.5 ** (1 / 2.2)).astype(np.uint8)  # of the light: 3 dB


def apply_tone_map(pixels, tone_map):
    if way == "failing" and next(numbers) % 50 == 0:
        raise ServiceError
    if way == "slower":  # 50 ms for each megapixel where all takes 25
        until = time.process_time() + 0.05 * pixels.size / 3e6
        while time.process_time() < until:
            pass
    made = good_apply(pixels, tone_map)
    return half[made] if way == "darker" else made
"""


def build_worse_tone(folder: Path) -> Path:
    """Build it into a model store in `folder`, and return that."""
    for name in ("darkroom", "handlers"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    with (folder / "handlers" / "tone_handler.py").open("a") as file:
        file.write(_LINES)
    store = folder / "model-store"
    shutil.copytree(STORE / "weights", store / "weights")
    shutil.copy(STORE / "manifest.toml", store)
    subprocess.run((sys.executable, "-m", "handlers.build", "tone"), cwd=folder, check=True)
    return store
