"""What travels beside the pixels: EXIF and ICC blocks, found in a file and put into a new one.

The policy: EXIF stays, without GPS and thumbnail; the ICC profile is used up by the conversion to
sRGB; comments, XMP and IPTC go, since coordinates and names hide there too.
"""

import zlib
from dataclasses import dataclass

from darkroom.imaging.containers import JPEG_MAGIC, Part, jpeg_segments, png_chunks, webp_chunks
from darkroom.imaging.exif import clean_exif
from darkroom.imaging.header import EXIF_PREFIX, Format

# Printing profiles reach 3 MB; a PNG may hide a hundred times that in a small chunk.
_MAX_PROFILE_BYTES = 4 << 20
_ICC_PREFIX = b"ICC_PROFILE\0"
_PNG_IHDR_END = 33  # signature 8, then one chunk of 13 bytes and its frame of 12
_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


@dataclass(frozen=True)
class Metadata:
    exif: bytes = b""  # cleaned
    profile: bytes = b""  # ICC, as found


def read_metadata(payload: bytes, kind: Format) -> Metadata:
    """The EXIF and ICC blocks of a file whose header has been read; broken ones count as absent."""
    exif, profile = _READERS[kind](payload)
    return Metadata(clean_exif(exif), profile)


def _read_jpeg(payload: bytes) -> tuple[bytes, bytes]:
    exif = b""
    pieces: dict[int, bytes] = {}  # a profile is cut into numbered segments
    for marker, start, end in jpeg_segments(payload):
        if marker == 0xE1 and payload.startswith(EXIF_PREFIX, start) and not exif:
            exif = payload[start + len(EXIF_PREFIX) : end]
        elif marker == 0xE2 and payload.startswith(_ICC_PREFIX, start):
            data = payload[start + len(_ICC_PREFIX) : end]
            pieces[int.from_bytes(data[:1])] = data[2:]
    profile = b"".join(pieces[number] for number in sorted(pieces))
    return exif, profile if len(profile) <= _MAX_PROFILE_BYTES else b""


def _read_png(payload: bytes) -> tuple[bytes, bytes]:
    chunks = _first_of(payload, list(png_chunks(payload)))
    # A name, its closing zero and the number of the only compression method precede the profile.
    _, _, compressed = chunks.get(b"iCCP", b"").partition(b"\0")
    return chunks.get(b"eXIf", b""), _inflate(compressed[1:])


def _read_webp(payload: bytes) -> tuple[bytes, bytes]:
    chunks = _first_of(payload, list(webp_chunks(payload)))
    return chunks.get(b"EXIF", b"").removeprefix(EXIF_PREFIX), chunks.get(b"ICCP", b"")


_READERS = {Format.JPEG: _read_jpeg, Format.PNG: _read_png, Format.WEBP: _read_webp}


def _first_of(payload: bytes, parts: list[Part]) -> dict[int | bytes, bytes]:
    """The data of the first chunk of each kind of metadata, where it has a sensible size."""
    wanted = (b"eXIf", b"EXIF", b"iCCP", b"ICCP")
    return {
        kind: payload[start:end]
        for kind, start, end in reversed(parts)
        if kind in wanted and end - start <= _MAX_PROFILE_BYTES
    }


def _inflate(compressed: bytes) -> bytes:
    """The inflated data; empty where it is broken or larger than any profile."""
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(compressed, _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return data if inflater.eof else b""


def keep_pixel_chunks(payload: bytes) -> bytes:
    """The PNG without all that makes no pixels, so no decoder meets a hostile text or profile."""
    view = memoryview(payload)
    kept = [view[s - 8 : e + 4] for kind, s, e in png_chunks(payload) if kind in _PIXEL_CHUNKS]
    return b"".join([view[:8], *kept])


def put_exif_in_jpeg(payload: bytes, exif: bytes) -> bytes:
    """The JPEG with the block as its first segment."""
    segment = EXIF_PREFIX + exif
    if not exif or len(segment) > 0xFFFF - 2:
        return payload
    length = (len(segment) + 2).to_bytes(2)
    return b"".join([JPEG_MAGIC[:2], b"\xff\xe1", length, segment, memoryview(payload)[2:]])


def put_exif_in_png(payload: bytes, exif: bytes) -> bytes:
    """The PNG with the block as its second chunk."""
    if not exif:
        return payload
    chunk = b"eXIf" + exif
    framed = [len(exif).to_bytes(4), chunk, zlib.crc32(chunk).to_bytes(4)]
    view = memoryview(payload)
    return b"".join([view[:_PNG_IHDR_END], *framed, view[_PNG_IHDR_END:]])
