"""When the cluster is ready: not before a real photo has gone through all of it."""

import aiohttp
import numpy as np

from darkroom.client import AsyncDarkroom, Enhanced
from darkroom.imaging.codec import encode
from darkroom.imaging.photo import Format, Photo

LONGEST_BUDGET_MS = 60_000  # the first photo may find a server that is still warming up
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=10)


def draw_dark_room() -> bytes:
    """A JPEG of 480×320: a wall with a window, a floor and a sofa, four stops too dark."""
    height, width = 320, 480
    y, x = np.mgrid[0:height, 0:width]
    room = np.empty((height, width, 3))
    room[:] = (0.62, 0.58, 0.52)  # linear light, as all below
    room *= (0.5 + 0.5 * np.exp(-(((x - 150) / 200) ** 2) - ((y - 110) / 160) ** 2))[..., None]
    room[(y > 215) & (y - 215 > -0.2 * (x - 240))] *= (0.6, 0.42, 0.28)
    room[50:160, 90:210] = (0.8, 0.9, 1.0)
    room[50:160, 146:154] = room[102:108, 90:210] = (0.5, 0.48, 0.45)
    room[185:265, 270:430] = (
        np.array((0.16, 0.24, 0.36)) * (0.7 + 0.3 * (y / height))[185:265, 270:430, None]
    )
    grain = np.random.default_rng(7).normal(0, 0.002, room.shape)
    dark = np.clip(room / 16 + grain, 0, 1)
    pixels = np.round(255 * dark ** (1 / 2.2)).astype(np.uint8)
    return encode(Photo(pixels, Format.JPEG))


async def ready_servers(url: str) -> set[str]:
    """The servers that answer a tiny photo: the gateway, and what it says of the model servers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session,
            session.get(f"{url}/readyz") as reply,
        ):
            words = (await reply.json())["servers"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
        return set()
    return {"gateway", *(name for name, word in words.items() if word == "ok")}


async def first_photo(url: str) -> Enhanced:
    """Send a dark photo all the way. Raises as the client does."""
    async with AsyncDarkroom(url) as darkroom:
        return await darkroom.enhance(draw_dark_room(), budget_ms=LONGEST_BUDGET_MS)
