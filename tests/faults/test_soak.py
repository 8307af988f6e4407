"""Photos of all sizes for an hour, or for as long and as often as DARKROOM_SOAK_… say."""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import numpy as np
import psutil
import pytest

from tests.end_to_end.pictures import PATIENT_MS, darken
from tests.faults.pictures import spoilt
from tests.photos import load_photo, to_bytes
from tests.rooms import draw_room

pytestmark = pytest.mark.faults

MINUTES = float(os.environ.get("DARKROOM_SOAK_MINUTES", "60"))
PAUSE_S = float(os.environ.get("DARKROOM_SOAK_PAUSE_S", "0.5"))  # between photos
SAMPLES = 120
SERVERS = ("defects", "restore", "straighten", "tone", "colorize")
DARK = darken(load_photo("coffee"), stops=3)
NOISY = np.clip(DARK + np.random.default_rng(1).normal(0, 15, DARK.shape), 0, 255).astype(np.uint8)
REQUESTS = (
    ("/enhance_image", to_bytes(DARK)),
    ("/enhance_image", to_bytes(NOISY, "png")),
    ("/diagnose", to_bytes(draw_room(3, 1280, 960))),
    ("/enhance_image", to_bytes(darken(draw_room(4, 1280, 960), stops=2))),
    ("/enhance_image", spoilt(5)),
    ("/colorize", to_bytes(DARK[:, :, :1].repeat(3, axis=2))),
    ("/enhance_image", to_bytes(darken(draw_room(5, 4000, 3000), stops=2))),
    ("/enhance_image", to_bytes(DARK, "webp")),
    ("/diagnose", b"no photo"),
)


@dataclass
class Watched:
    """One process, looked at again and again."""

    process: psutil.Process
    at_min: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self, minute: float) -> None:
        self.at_min.append(minute)
        self.mb.append(self.process.memory_info().rss / 1e6)
        self.files.append(self.process.num_fds())

    @property
    def slope(self) -> float:
        """MB a minute over the second half: the first has the largest photos for the first time."""
        half = len(self.mb) // 2
        return float(np.polyfit(self.at_min[half:], self.mb[half:], 1)[0])


async def soak(url: str, processes: Mapping[str, psutil.Process]) -> dict[str, Watched]:
    """Send photos one after the other and look at the processes meanwhile."""
    watched = {name: Watched(process) for name, process in processes.items()}
    statuses, began, looks = Counter[int](), time.monotonic(), 0
    async with aiohttp.ClientSession(url) as client:
        for path, payload in itertools.cycle(REQUESTS):
            async with client.post(f"{path}?budget_ms={PATIENT_MS}", data=payload) as reply:
                await reply.read()
                statuses[reply.status] += 1
            minute = (time.monotonic() - began) / 60
            if minute > MINUTES * looks / SAMPLES:
                looks += 1
                for each in watched.values():
                    each.look(minute)
            if minute > MINUTES:
                break
            await asyncio.sleep(PAUSE_S)

    print(f"{MINUTES:.0f} minutes, {statuses}")
    for name, each in watched.items():
        print(
            f"{name}: {each.mb[0]:.0f} -> {each.mb[-1]:.0f} MB, {each.slope * 60:+.1f} MB/h at the "
            f"end, {each.files[0]} -> {each.files[-1]} files"
        )
    assert set(statuses) <= {200, 204, 415, 422}
    return watched


async def test_memory_and_files_stay_what_they_were(cluster):
    """Every process is the same at the end, not growing any more, with as many files open."""
    gateway = next(p for p in cluster.processes() if p.cmdline()[-2:] == ["-m", "gateway"])
    processes = {"gateway": gateway}
    for name in SERVERS:
        processes[f"{name}, Java"] = cluster.server(name)
        processes[f"{name}, worker"] = cluster.worker(name)

    for name, watched in (await soak(cluster.url, processes)).items():
        half = len(watched.files) // 2
        assert watched.slope * MINUTES / 2 < max(8, 0.03 * watched.mb[-1]), name
        assert max(watched.files[half:]) <= max(watched.files[:half]) + 8, name
