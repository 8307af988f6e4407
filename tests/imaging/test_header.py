import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from darkroom.contracts.errors import TooManyPixels, UnreadablePhoto, UnsupportedPhoto
from darkroom.imaging.containers import PNG_MAGIC
from darkroom.imaging.header import Format, Header, check_limits, read_header
from tests.imaging.forge import (
    forge_exif,
    forge_png,
    ihdr,
    insert_chunks,
    insert_segments,
    png_chunk,
)
from tests.imaging.forge import segment as jpeg_segment
from tests.photos import to_bytes
from tests.rooms import draw_room

ROOM = draw_room(1, 80, 60)
KINDS = ["jpeg", "png", "webp"]


@pytest.mark.parametrize("kind", KINDS)
def test_header_tells_type_and_size_by_content(kind):
    """Type and size come from the bytes alone, width first."""
    header = read_header(to_bytes(ROOM, kind))

    assert header == Header(Format(kind), 80, 60)
    assert header.pixels == 4800


@pytest.mark.parametrize("kind", KINDS)
def test_header_tells_the_orientation(kind):
    """All three formats carry EXIF; a turned photo is seen with its sides swapped."""
    exif = forge_exif(6)
    header = read_header(to_bytes(ROOM, kind, exif=b"Exif\0\0" + exif))

    assert header.orientation == 6
    assert header.upright_size == (60, 80)


def test_orientation_behind_the_pixels_of_a_png_counts():
    """The standard lets eXIf follow IDAT."""
    png = to_bytes(ROOM, "png")
    iend = png.rindex(b"IEND") - 4

    assert read_header(png[:iend] + png_chunk(b"eXIf", forge_exif(8)) + png[iend:]).orientation == 8


@pytest.mark.parametrize(
    ("kind", "mode", "channels"),
    [
        ("jpeg", "L", 1),
        ("jpeg", "CMYK", 4),
        ("png", "L", 1),
        ("png", "LA", 2),
        ("png", "P", 3),
        ("png", "RGBA", 4),
    ],
)
def test_header_tells_the_channels(kind, mode, channels):
    """Channels count alpha; a palette counts as the colours it stands for."""
    image = Image.fromarray(ROOM).convert(mode)

    assert read_header(to_bytes(image, kind)).channels == channels


def test_header_tells_the_alpha_of_a_webp():
    """A WebP with transparent pixels has four channels, lossy or not."""
    picture = np.dstack([ROOM, ROOM[:, :, 0]])

    assert read_header(to_bytes(picture, "webp")).channels == 4
    assert read_header(to_bytes(picture, "webp", lossless=True)).channels == 4


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_animation_is_refused(kind):
    """An animated PNG or WebP is named as such, and refused as unreadable rather than cut."""
    frames = [Image.fromarray(draw_room(seed, 80, 60)) for seed in (1, 2)]
    header = read_header(to_bytes(frames[0], kind, save_all=True, append_images=frames[1:]))

    assert header.animated
    with pytest.raises(UnreadablePhoto, match="Animated"):
        check_limits(header, 10_000)


def test_limit_is_inclusive():
    """As many pixels as allowed pass, one more does not."""
    header = Header(Format.PNG, 80, 60)

    check_limits(header, 4800)
    with pytest.raises(TooManyPixels):
        check_limits(header, 4799)


@pytest.mark.parametrize("kind", KINDS)
def test_header_truncated_anywhere_is_unreadable(kind):
    """A file cut before its pixels is refused by the header alone, never with another error."""
    payload = to_bytes(ROOM, kind, exif=b"Exif\0\0" + forge_exif(6))
    start_of_pixels = {"jpeg": b"\xff\xda", "png": b"IDAT", "webp": b"VP8 "}[kind]
    for length in range(12, payload.index(start_of_pixels)):
        with pytest.raises(UnreadablePhoto):
            read_header(payload[:length])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"GIF89a\x08\0\x06\0\0\0\0;",
        b"%PDF-1.7",
        b"PK\x03\x04 a zip",
        b"MZ an executable",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"<html>" + to_bytes(ROOM),
    ],
)
def test_what_is_no_photo_is_unsupported(payload):
    """Anything but JPEG, PNG and WebP is refused by content, whatever it claims elsewhere."""
    with pytest.raises(UnsupportedPhoto):
        read_header(payload)


@pytest.mark.parametrize(("width", "height"), [(0, 6), (8, 0)])
def test_picture_without_pixels_is_unreadable(width, height):
    """A size of zero is no picture."""
    with pytest.raises(UnreadablePhoto):
        read_header(forge_png(width, height))


def test_endless_segments_are_refused():
    """A JPEG of millions of empty segments costs a bounded walk."""
    bomb = insert_segments(to_bytes(ROOM), jpeg_segment(0xFE, b"") * 1_000_000)

    with pytest.raises(UnreadablePhoto):
        read_header(bomb)


def test_endless_chunks_are_refused():
    """The same for a PNG and a WebP of millions of empty chunks."""
    png = insert_chunks(to_bytes(ROOM, "png"), png_chunk(b"teSt", b"") * 1_000_000)
    chunks = b"WEBP" + (b"teSt" + bytes(4)) * 1_000_000
    webp = b"RIFF" + len(chunks).to_bytes(4, "little") + chunks

    for bomb in (png, webp):
        with pytest.raises(UnreadablePhoto):
            read_header(bomb)


@pytest.mark.parametrize("colour_type", [1, 5, 7])
def test_png_of_a_colour_type_that_does_not_exist_is_unreadable(colour_type):
    """Only five of the seven numbers mean anything."""
    payload = PNG_MAGIC + ihdr(8, 6, colour_type=colour_type) + png_chunk(b"IEND", b"")

    with pytest.raises(UnreadablePhoto):
        read_header(payload)


def test_reading_headers_needs_the_standard_library_alone():
    """The gateway reads headers; it is to load neither numpy nor a codec for that."""
    script = (
        "import sys, darkroom.imaging.header; print(*{'numpy', 'PIL', 'cv2'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert loaded.stdout.strip() == ""
