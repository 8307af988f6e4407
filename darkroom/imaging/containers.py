"""Walk the parts of a JPEG, PNG or WebP file without decoding any of them.

Everything here is bounded: a walk takes at most `_MAX_PARTS` steps, looks at no byte twice and
copies nothing, so a hostile file costs no more time than an honest one.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from darkroom.contracts.errors import UnreadablePhoto

# Honest files stay far below: extended XMP in a JPEG makes some hundred segments, a PNG of
# 32 MiB in the usual 8 KiB pieces makes 4096 chunks.
_MAX_PARTS = 1 << 16

JPEG_MAGIC = b"\xff\xd8\xff"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
SOS = 0xDA  # start of scan: from here on a JPEG is entropy-coded data
_EOI = 0xD9
_STANDALONE = {0x00, 0x01, *range(0xD0, 0xD9)}  # markers without a length
_MARKER = re.compile(rb"\xff+[^\xff]")


class Part(NamedTuple):
    """A JPEG segment, PNG chunk or RIFF chunk: its kind and where its data lies."""

    kind: int | bytes
    start: int
    end: int  # never beyond the end of the file


def jpeg_segments(payload: bytes) -> Iterator[Part]:
    """The segments of a JPEG up to and including the first start of scan.

    Raises:
        UnreadablePhoto: the file ends before its first scan, or has too many segments.
    """
    position = 2
    for _ in range(_MAX_PARTS):
        # Stray bytes between segments are stepped over, as libjpeg does.
        found = _MARKER.search(payload, position)
        if found is None or found.end() + 2 > len(payload):
            raise UnreadablePhoto
        position = found.end()
        marker = payload[position - 1]
        if marker in _STANDALONE:
            continue
        end = position + (payload[position] << 8) + payload[position + 1]
        if marker == _EOI or end < position + 2 or end > len(payload):
            raise UnreadablePhoto
        yield Part(marker, position + 2, end)
        if marker == SOS:
            return
        position = end
    raise UnreadablePhoto


def png_chunks(payload: bytes) -> Iterator[Part]:
    """All chunks of a PNG, IEND included. What follows IEND is not looked at.

    Raises:
        UnreadablePhoto: the file ends before IEND, or has too many chunks.
    """
    position = len(PNG_MAGIC)
    for _ in range(_MAX_PARTS):
        start = position + 8
        end = start + int.from_bytes(payload[position : position + 4])
        if end + 4 > len(payload):  # the checksum's four bytes
            raise UnreadablePhoto
        kind = payload[position + 4 : start]
        yield Part(kind, start, end)
        if kind == b"IEND":
            return
        position = end + 4
    raise UnreadablePhoto


def webp_chunks(payload: bytes) -> Iterator[Part]:
    """The chunks of a WebP file as far as its RIFF size reaches.

    Raises:
        UnreadablePhoto: the file is shorter than its RIFF size, or has too many chunks.
    """
    limit = 8 + int.from_bytes(payload[4:8], "little")
    if limit > len(payload):
        raise UnreadablePhoto
    position = 12
    for _ in range(_MAX_PARTS):
        start = position + 8
        if start > limit:
            return
        end = start + int.from_bytes(payload[position + 4 : start], "little")
        if end > limit:
            raise UnreadablePhoto
        yield Part(payload[position : position + 4], start, end)
        position = end + end % 2  # chunks begin at even offsets
    raise UnreadablePhoto
