"""EXIF blocks: read the orientation, clean the block, keep its size tags true.

A block is the TIFF structure alone, without the prefix that JPEG puts before it. It is edited in
place, so nothing that stays changes its offset: maker notes point into the block with offsets that
only the maker knows.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_SHORT, _LONG = 3, 4
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ENTRY = 12  # bytes of one directory entry: tag, type, count, value or offset

# What fits a JPEG segment; more entries than cameras write would only buy an attacker time.
_MAX_BLOCK_BYTES = 65_527
_MAX_ENTRIES = 1000

_BROKEN = (struct.error, IndexError, KeyError, ValueError)


class _Entry(NamedTuple):
    tag: int
    type: int
    values: int  # how many
    at: int  # where the entry itself begins


def _order(block: bytes | bytearray) -> str:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None or len(block) > _MAX_BLOCK_BYTES:
        raise ValueError("not a TIFF structure")
    return order


def _first_ifd(block: bytes | bytearray) -> int:
    return int(struct.unpack_from(_order(block) + "I", block, 4)[0])


def _entries(block: bytes | bytearray, ifd: int) -> Iterator[_Entry]:
    order = _order(block)
    (count,) = struct.unpack_from(order + "H", block, ifd)
    if count > _MAX_ENTRIES:
        raise ValueError("too many entries")
    for at in range(ifd + 2, ifd + 2 + count * _ENTRY, _ENTRY):
        tag, kind, values = struct.unpack_from(order + "HHI", block, at)
        yield _Entry(tag, kind, values, at)


def _find(block: bytes | bytearray, ifd: int, tag: int) -> _Entry | None:
    """The directory's entry for a tag. Two of them are one too many: the block is broken."""
    found = [entry for entry in _entries(block, ifd) if entry.tag == tag]
    if len(found) > 1:
        raise ValueError("a tag stands twice")
    return found[0] if found else None


def _number(block: bytes | bytearray, entry: _Entry) -> int:
    code = "H" if entry.type == _SHORT else "I"
    return int(struct.unpack_from(_order(block) + code, block, entry.at + 8)[0])


def _set_number(block: bytearray, entry: _Entry, number: int) -> None:
    code = {_SHORT: "H", _LONG: "I"}[entry.type]
    struct.pack_into(_order(block) + code, block, entry.at + 8, number)


def read_orientation(block: bytes) -> int:
    """EXIF orientation 1…8; 1 where the block is broken, silent or says anything else."""
    try:
        entry = _find(block, _first_ifd(block), _ORIENTATION)
        number = 1 if entry is None else _number(block, entry)
    except _BROKEN:
        return 1
    return number if 1 <= number <= 8 else 1


def clean_exif(block: bytes) -> bytes:
    """The block without GPS and thumbnail and with orientation 1; empty where it is broken.

    The bytes of both are overwritten, not just unlinked. Coordinates that a camera maker hides in
    its own notes are beyond us.
    """
    cleaned = bytearray(block)
    try:
        first = _first_ifd(cleaned)
        _cut_thumbnail(cleaned, first)
        directories = [first]
        exif = _find(cleaned, first, _EXIF_IFD)
        if exif is not None:
            directories.append(_number(cleaned, exif))
        for directory in directories:
            _remove_gps(cleaned, directory)
        orientation = _find(cleaned, first, _ORIENTATION)
        if orientation is not None:
            _set_number(cleaned, orientation, 1)
        # Directories of a hostile block may overlap, so that one edit undoes another: look again.
        gps = any(_find(cleaned, directory, _GPS_IFD) for directory in directories)
        if gps or read_orientation(bytes(cleaned)) != 1:
            return b""
    except _BROKEN:
        return b""
    return bytes(cleaned)


def stamp_size(block: bytes, width: int, height: int) -> bytes:
    """The block with the picture's size in pixels, where it states a size at all."""
    stamped = bytearray(block)
    try:
        pointer = _find(block, _first_ifd(block), _EXIF_IFD)
        if pointer is None:
            return block
        for tag, size in ((_PIXEL_X, width), (_PIXEL_Y, height)):
            entry = _find(block, _number(block, pointer), tag)
            if entry is not None:
                _set_number(stamped, entry, size)
    except _BROKEN:
        return block
    return bytes(stamped)


def _next_pointer(block: bytearray, ifd: int) -> int:
    """Where a directory keeps the offset of the next one."""
    (count,) = struct.unpack_from(_order(block) + "H", block, ifd)
    return int(ifd + 2 + count * _ENTRY)


def _cut_thumbnail(block: bytearray, first: int) -> None:
    """Drop the second directory, which describes the thumbnail, and the thumbnail itself."""
    at = _next_pointer(block, first)
    if at + 4 > len(block):  # some writers leave the last pointer out
        return
    (second,) = struct.unpack_from(_order(block) + "I", block, at)
    struct.pack_into("4x", block, at)
    if not second:
        return
    numbers = {e.tag: _number(block, e) for e in _entries(block, second)}
    start, length = numbers.get(0x0201, 0), numbers.get(0x0202, 0)
    _erase_ifd(block, second)
    if start and start + length >= len(block) - 16:
        del block[start:]  # at the end, where most cameras put it: give the bytes back
    elif start:
        _erase(block, start, length)


def _remove_gps(block: bytearray, ifd: int) -> None:
    """Erase the GPS directory that this one points to, and its entry here."""
    entry = _find(block, ifd, _GPS_IFD)
    if entry is None:
        return
    _erase_ifd(block, _number(block, entry))
    end = min(_next_pointer(block, ifd) + 4, len(block))
    # Close the gap; the freed bytes lie after the directory and become zero.
    block[entry.at : end] = block[entry.at + _ENTRY : end] + bytes(_ENTRY)
    (count,) = struct.unpack_from(_order(block) + "H", block, ifd)
    struct.pack_into(_order(block) + "H", block, ifd, count - 1)


def _erase_ifd(block: bytearray, ifd: int) -> None:
    for entry in list(_entries(block, ifd)):
        length = _TYPE_BYTES.get(entry.type, 1) * entry.values
        if length > 4:
            _erase(block, _number(block, entry._replace(type=_LONG)), length)
        _erase(block, entry.at, _ENTRY)
    _erase(block, ifd, 2)


def _erase(block: bytearray, start: int, length: int) -> None:
    end = min(start + length, len(block))
    if start < end:
        block[start:end] = bytes(end - start)
