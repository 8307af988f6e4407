"""What a photo's header says, read without decoding: type, size, orientation.

Standard library only: the gateway reads headers and nothing else of a picture. The type comes from
the content, never from a name or a declared media type.
"""

from dataclasses import dataclass
from enum import StrEnum

from darkroom.contracts.errors import TooManyPixels, UnreadablePhoto, UnsupportedPhoto
from darkroom.imaging.containers import (
    JPEG_MAGIC,
    PNG_MAGIC,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)
from darkroom.imaging.exif import read_orientation


class Format(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"


@dataclass(frozen=True)
class Header:
    """What the file says of itself; `width` and `height` are as stored, before orientation."""

    format: Format
    width: int
    height: int
    orientation: int = 1  # EXIF, 1…8
    animated: bool = False
    channels: int = 3  # alpha included; a palette counts as the 3 channels it stands for

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) as a viewer sees the photo: orientation applied."""
        turned = self.orientation >= 5
        return (self.height, self.width) if turned else (self.width, self.height)


def read_header(payload: bytes) -> Header:
    """Read the header of a JPEG, PNG or WebP file.

    Raises:
        UnsupportedPhoto: the content is none of the three.
        UnreadablePhoto: the header is broken or the file ends too early.
    """
    if payload.startswith(JPEG_MAGIC):
        header = _read_jpeg(payload)
    elif payload.startswith(PNG_MAGIC):
        header = _read_png(payload)
    elif payload[:4] == b"RIFF" and payload[8:12] == b"WEBP":
        header = _read_webp(payload)
    else:
        raise UnsupportedPhoto
    if not header.pixels:
        raise UnreadablePhoto
    return header


def check_limits(header: Header, max_pixels: int) -> None:
    """Refuse what is not to be decoded.

    An animation is refused rather than reduced to its first frame: a photo that comes back
    without its other frames has lost something, and no photo of a room is an animation.

    Raises:
        TooManyPixels: the header declares more than `max_pixels`.
        UnreadablePhoto: the picture is animated.
    """
    if header.pixels > max_pixels:
        raise TooManyPixels(
            f"The picture has {header.pixels:,} pixels; the service takes {max_pixels:,}."
        )
    if header.animated:
        raise UnreadablePhoto("Animated pictures are not taken: send a single still photo.")


JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF: baseline, progressive, …
EXIF_PREFIX = b"Exif\0\0"


def _read_jpeg(payload: bytes) -> Header:
    frame = exif = b""
    for marker, start, end in jpeg_segments(payload):
        if marker in JPEG_FRAMES and not frame:
            frame = payload[start:end]
        elif marker == 0xE1 and payload.startswith(EXIF_PREFIX, start) and not exif:
            exif = payload[start + len(EXIF_PREFIX) : end]
    if len(frame) < 6:
        raise UnreadablePhoto
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    return Header(Format.JPEG, width, height, read_orientation(exif), channels=frame[5])


_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type


def _read_png(payload: bytes) -> Header:
    ihdr, exif, frames = b"", b"", 1
    for kind, start, end in png_chunks(payload):
        if kind == b"IHDR" and not ihdr:
            ihdr = payload[start:end]
        elif kind == b"acTL":
            frames = int.from_bytes(payload[start : start + 4])
        elif kind == b"eXIf" and not exif:
            exif = payload[start:end]
    if len(ihdr) != 13 or ihdr[9] not in _PNG_CHANNELS:
        raise UnreadablePhoto
    width, height = int.from_bytes(ihdr[:4]), int.from_bytes(ihdr[4:8])
    return Header(
        Format.PNG,
        width,
        height,
        orientation=read_orientation(exif),
        animated=frames > 1,
        channels=_PNG_CHANNELS[ihdr[9]],
    )


def _read_webp(payload: bytes) -> Header:
    width = height = 0
    exif, animated, alpha = b"", False, False
    for kind, start, end in webp_chunks(payload):
        data = payload[start : min(end, start + 10)]
        if kind == b"VP8X" and len(data) == 10 and not width:
            animated, alpha = bool(data[0] & 0x02), bool(data[0] & 0x10)
            width = 1 + int.from_bytes(data[4:7], "little")
            height = 1 + int.from_bytes(data[7:10], "little")
        elif kind == b"VP8L" and data[:1] == b"\x2f" and not width:
            fields = int.from_bytes(data[1:5], "little")
            width, height = 1 + (fields & 0x3FFF), 1 + (fields >> 14 & 0x3FFF)
            alpha = bool(fields >> 28 & 1)
        elif kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and not width:
            width = int.from_bytes(data[6:8], "little") & 0x3FFF
            height = int.from_bytes(data[8:10], "little") & 0x3FFF
        elif kind == b"EXIF" and not exif:
            exif = payload[start:end].removeprefix(EXIF_PREFIX)
    return Header(
        Format.WEBP,
        width,
        height,
        orientation=read_orientation(exif),
        animated=animated,
        channels=4 if alpha else 3,
    )
