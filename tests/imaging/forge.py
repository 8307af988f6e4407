"""Files that no encoder would write, made by hand; some of them harmless, some not."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np

from darkroom.imaging.containers import PNG_MAGIC

GPS_SECRET = b"52.520008 N 13.404954 E"
MAKER_NOTE = b"maker's own bytes"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)


def ihdr(width: int, height: int, bits: int = 8, colour_type: int = 2) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))


def forge_png(width: int, height: int, *extra: bytes, pixels: bytes = b"") -> bytes:
    """A PNG of 8-bit RGB with chunks of one's own before the pixels."""
    data = png_chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"".join([PNG_MAGIC, ihdr(width, height), *extra, data, png_chunk(b"IEND", b"")])


def png_of_one_colour(width: int, height: int) -> bytes:
    """A whole PNG, black and of one bit a pixel: as RGB, 24,000 times as many bytes."""
    pack, row = zlib.compressobj(9), bytes(1 + -(-width // 8))
    packed = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    header, data = ihdr(width, height, bits=1, colour_type=0), png_chunk(b"IDAT", packed)
    return b"".join([PNG_MAGIC, header, data, png_chunk(b"IEND", b"")])


def insert_chunks(png: bytes, *chunks: bytes) -> bytes:
    """The PNG with chunks behind its IHDR."""
    return png[:33] + b"".join(chunks) + png[33:]


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2) + data


def insert_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with segments before all others."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def declare_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its (baseline) frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def mutate(payload: bytes, rng: np.random.Generator) -> bytes:
    """Up to five changes: bytes and bits flipped, runs dropped or doubled, lengths made absurd."""
    data = bytearray(payload)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data)))
        length = int(rng.integers(1, 40))
        match rng.integers(5):
            case 0:
                data[at] = rng.integers(256)
            case 1:
                data[at] ^= 1 << int(rng.integers(8))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case _:
                data[at : at + 4] = rng.choice(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"]
                )
    return bytes(data)


def forge_exif(orientation: int = 1, order: str = "<", thumbnail: bytes = b"") -> bytes:
    """An EXIF block as a camera writes it: maker, orientation, size, maker note, GPS, thumbnail."""

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        code = "HHIH2x" if kind == 3 else "HHII"
        return struct.pack(order + code, tag, kind, count, value)

    def directory(*entries: bytes, after: int = 0) -> bytes:
        count = struct.pack(order + "H", len(entries))
        return count + b"".join(entries) + struct.pack(order + "I", after)

    # Offsets: the header's 8 bytes, then directories of 2 + 12 n + 4 bytes, then the data.
    first, exif = 8, 8 + 54
    gps = exif + 42
    second = gps + 18
    maker = second + 30
    note = maker + 8
    secret = note + len(MAKER_NOTE) + 1
    preview = secret + len(GPS_SECRET)
    blocks = [
        directory(
            entry(0x010F, 2, 8, maker),
            entry(0x0112, 3, 1, orientation),
            entry(0x8769, 4, 1, exif),
            entry(0x8825, 4, 1, gps),
            after=second,
        ),
        directory(
            entry(0x927C, 7, len(MAKER_NOTE), note),
            entry(0xA002, 4, 1, 4000),
            entry(0xA003, 4, 1, 3000),
        ),
        directory(entry(0x001B, 7, len(GPS_SECRET), secret)),
        directory(entry(0x0201, 4, 1, preview), entry(0x0202, 4, 1, len(thumbnail))),
        b"Darkroo\0",
        MAKER_NOTE + b"\0",
        GPS_SECRET,
        thumbnail,
    ]
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", first) + b"".join(blocks)


# Adobe RGB (1998): the columns of its matrix to XYZ (D50), and its gamma.
ADOBE_MATRIX = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
ADOBE_GAMMA = 563 / 256


def forge_profile(space: bytes = b"RGB ", gamma: float = ADOBE_GAMMA) -> bytes:
    """An ICC profile (version 2, display): Adobe RGB's primaries, or grey, with a plain gamma."""

    def xyz(values: Iterable[float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(round(v * 65536).to_bytes(4) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH2x", 1, round(gamma * 256))
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79)
    tags = {
        b"desc": text,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
    }
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, column in zip(b"rgb", ADOBE_MATRIX.T, strict=True):
            tags[bytes([name]) + b"XYZ"] = xyz(column)
            tags[bytes([name]) + b"TRC"] = curve
    at = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += value
    head = struct.pack(
        ">I4sI4s4s4s12s4s", at + len(data), b"", 0x02100000, b"mntr", space, b"XYZ ", b"", b"acsp"
    )
    illuminant = b"".join(round(v * 65536).to_bytes(4) for v in (0.9642, 1.0, 0.8249))
    return head.ljust(68, b"\0") + illuminant + bytes(48) + table + data
