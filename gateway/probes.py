"""A tiny photo that every replica has to answer before it is trusted, and at each `/readyz`."""

import struct
import zlib
from typing import Any

from darkroom.contracts.defects import MENDS, Enhancer
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import ColorizeRequest, StepRequest
from darkroom.imaging.header import read_header
from gateway.budget import Budget
from gateway.calls import Call, Work, colorizing, diagnosing, mending
from gateway.reading import ReceivedPhoto

PROBE_MS = 2000  # a busy cluster is still a ready one


def probing(name: str) -> Call[Any]:
    """What the model server of this name is asked: everything that it can do, once."""
    photo = ReceivedPhoto(TINY_PHOTO, read_header(TINY_PHOTO))
    work = Work(photo, Budget.start(PROBE_MS), "readyz")
    if name == "defects":
        return diagnosing(work)
    if name == "colorize":  # by the network that is always there
        return colorizing(work, ColorizeRequest(model=ColorModel.LITE))
    enhancer = Enhancer(name)
    return mending(
        work, StepRequest(enhancer=enhancer, defects=dict.fromkeys(MENDS[enhancer], 0.5))
    )


def _tiny_photo() -> bytes:
    """A PNG of 48×32 px in soft colours, written by hand: the gateway has no codecs."""
    width, height = 48, 32
    rows = b"".join(
        b"\0" + b"".join(bytes((2 * x + 80, 3 * y + 60, 120)) for x in range(width))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


TINY_PHOTO = _tiny_photo()
