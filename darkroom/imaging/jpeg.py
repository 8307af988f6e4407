"""How a JPEG was compressed: quantisation tables, subsampling, scans, read from its bytes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.errors import UnreadablePhoto
from darkroom.imaging.containers import SOS, jpeg_segments
from darkroom.imaging.header import JPEG_FRAMES

Table = NDArray[np.uint16]  # 64 steps in natural (row-major) order

# Position of each coefficient of a file's table in natural order (ITU-T T.81, figure 5).
ZIGZAG = np.array(
    sorted(range(64), key=lambda i: (s := i // 8 + i % 8, (i // 8 if s % 2 else i % 8))),
    dtype=np.intp,
)

_STORED_AT = np.argsort(ZIGZAG)  # where the file has the coefficient of each natural position

# The luma table that IJG quality 50 stands for (ITU-T T.81, table K.1).
STANDARD_LUMA: Table = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61),
        *(12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56),
        *(14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77),
        *(24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101),
        *(72, 92, 95, 98, 112, 100, 103, 99),
    ],
    dtype=np.uint16,
)

# The chroma table of the same quality (table K.2).
STANDARD_CHROMA: Table = np.array(
    [
        *(17, 18, 24, 47, 99, 99, 99, 99),
        *(18, 21, 26, 66, 99, 99, 99, 99),
        *(24, 26, 56, 99, 99, 99, 99, 99),
        *(47, 66, 99, 99, 99, 99, 99, 99),
        *(99,) * 32,
    ],
    dtype=np.uint16,
)

# Progressive files of common encoders have 10 scans. Each one passes over the whole picture, so
# a small file with thousands of empty scans would cost minutes.
_MAX_SCANS = 100

_SUBSAMPLING = {(2, 2): "420", (2, 1): "422", (1, 1): "444"}  # luma's factors over chroma's


@dataclass(frozen=True)
class Coding:
    """How one JPEG was coded."""

    quantisation: tuple[Table, ...]  # in the order of the components that use them: luma first
    subsampling: str | None  # "420", "422" or "444"; None where it is grey or none of these


def read_coding(payload: bytes) -> Coding:
    """Read the tables and factors of a JPEG.

    Raises:
        UnreadablePhoto: a table is cut short or missing, or the file has more scans than any
            encoder writes.
    """
    tables: dict[int, Table] = {}
    frame = b""
    scan = slice(0, 0)
    for marker, start, end in jpeg_segments(payload):
        if marker == 0xDB:
            tables |= _parse_tables(payload[start:end])
        elif marker in JPEG_FRAMES and not frame:
            frame = payload[start:end]
        elif marker == SOS:
            scan = slice(start, end)
    components = [frame[at : at + 3] for at in range(6, len(frame) - 2, 3)]
    if not components or len(components) != frame[5]:
        raise UnreadablePhoto
    _check_scans(payload, scan, len(components))
    used = dict.fromkeys(table for _, _, table in components)  # unique, in order
    if not used.keys() <= tables.keys():
        raise UnreadablePhoto
    return Coding(tuple(tables[i] for i in used), _subsampling([c[1] for c in components]))


def _parse_tables(segment: bytes) -> dict[int, Table]:
    tables: dict[int, Table] = {}
    at = 0
    while at < len(segment):
        wide, identity = segment[at] >> 4, segment[at] & 15
        length = 128 if wide else 64
        data = segment[at + 1 : at + 1 + length]
        if len(data) != length:
            raise UnreadablePhoto
        stored = np.frombuffer(data, ">u2" if wide else np.uint8)
        tables[identity] = stored[_STORED_AT].astype(np.uint16)
        at += 1 + length
    return tables


def _check_scans(payload: bytes, first_scan: slice, components: int) -> None:
    if payload[first_scan.start] == components and payload[first_scan][-3:] == b"\0\x3f\0":
        return  # the first scan holds everything: a decoder reads no other
    # Within entropy-coded data FF is always followed by 00 or a restart marker.
    if payload.count(b"\xff\xda", first_scan.start) >= _MAX_SCANS:
        raise UnreadablePhoto


def _subsampling(factors: list[int]) -> str | None:
    horizontal, vertical = zip(*(divmod(factor, 16) for factor in factors), strict=True)
    if len(factors) != 3 or 0 in horizontal + vertical:
        return None
    if horizontal[1] != horizontal[2] or vertical[1] != vertical[2]:
        return None
    ratio = (horizontal[0] / horizontal[1], vertical[0] / vertical[1])
    return _SUBSAMPLING.get(ratio)


def estimate_quality(tables: tuple[Table, ...]) -> float:
    """The IJG quality 1…100 whose luma table comes closest; 100 where there is no table.

    IJG scales the standard table by S percent, S = 5000/q under quality 50 and 200 - 2q above
    (libjpeg, `jpeg_quality_scaling`). S is estimated from the sums of both tables, so tables of
    other makers get the quality of the same mean coarseness.
    """
    if not tables:
        return 100.0
    open_ended = tables[0] < 255  # baseline tables are clipped there
    if not open_ended.any():
        return 1.0
    scale = 100 * int(tables[0][open_ended].sum()) / int(STANDARD_LUMA[open_ended].sum())
    quality = 100 - scale / 2 if scale <= 100 else 5000 / scale
    return min(max(quality, 1.0), 100.0)


def standard_tables(quality: int) -> tuple[Table, Table]:
    """The luma and chroma table that IJG encoders write at `quality`, 1…100."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (
        np.clip((table.astype(np.int64) * scale + 50) // 100, 1, 255).astype(np.uint16)
        for table in (STANDARD_LUMA, STANDARD_CHROMA)
    )
    return luma, chroma
