"""Bytes that mean harm: bombs, lies about sizes, cuts, and mutations of good photos."""

import io
import resource
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.contracts.errors import ServiceError, TooManyPixels, UnreadablePhoto
from darkroom.imaging import decoding
from darkroom.imaging.codec import decode, encode
from darkroom.imaging.header import read_header
from tests.imaging.forge import (
    declare_size,
    forge_png,
    ihdr,
    insert_chunks,
    insert_segments,
    mutate,
    png_chunk,
    png_of_one_colour,
    segment,
)
from tests.photos import to_bytes
from tests.rooms import draw_room

LIMIT = 50_000_000
ROOM = draw_room(7, 64, 48)
PAYLOADS = {
    "jpeg": to_bytes(ROOM),
    "progressive": to_bytes(ROOM, progressive=True),
    "png": to_bytes(ROOM, "png"),
    "palette": to_bytes(Image.fromarray(ROOM).convert("P"), "png"),
    "webp": to_bytes(ROOM, "webp"),
    "lossless webp": to_bytes(np.dstack([ROOM, ROOM[:, :, 0]]), "webp", lossless=True),
}


@contextmanager
def taking_at_most(mib: int) -> Iterator[None]:
    """What runs inside raises the memory of this process by no more at any time."""
    with suppress(OSError):  # else the peak of earlier tests counts, which is less strict
        Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kib()
    yield
    assert _peak_kib() - before < mib << 10


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_png_of_one_colour_is_refused_unread():
    """900 million pixels in 110 KB cost neither time nor memory."""
    bomb = png_of_one_colour(30_000, 30_000)
    start = time.process_time()

    with taking_at_most(20), pytest.raises(TooManyPixels):
        decode(bomb, LIMIT)

    assert time.process_time() - start < 1


def test_jpeg_that_claims_the_largest_size_is_refused():
    """65 500 × 65 500 in the header, a small photo behind it."""
    with pytest.raises(TooManyPixels):
        decode(declare_size(PAYLOADS["jpeg"], 65_500, 65_500), LIMIT)


@pytest.mark.parametrize(("width", "height"), [(64, 96), (128, 48), (6000, 6000)])
def test_jpeg_with_less_data_than_declared_is_unreadable(width, height):
    """A size within the limit but beyond the data gives an error, not grey stripes."""
    with pytest.raises(UnreadablePhoto):
        decode(declare_size(PAYLOADS["jpeg"], width, height), LIMIT)


def test_png_with_less_data_than_declared_is_unreadable():
    """The same for PNG."""
    with pytest.raises(UnreadablePhoto):
        decode(forge_png(64, 48, pixels=bytes(1000)), LIMIT)


def test_jpeg_read_in_two_ways_is_unreadable(monkeypatch):
    """Should the decoder ever see another size than was checked, it decodes nothing."""
    smaller = read_header(declare_size(PAYLOADS["jpeg"], 32, 24))
    monkeypatch.setattr(decoding, "read_header", lambda _: smaller)

    with pytest.raises(UnreadablePhoto):
        decode(PAYLOADS["jpeg"], LIMIT)


def test_png_of_two_sizes_is_unreadable():
    """A second header behind the first: what was checked has to be what is decoded."""
    with pytest.raises(UnreadablePhoto):
        decode(forge_png(8, 6, ihdr(16, 6), pixels=bytes(6 * (1 + 3 * 16))), LIMIT)


def test_webp_whose_parts_disagree_is_unreadable():
    """The extended header of a WebP may not lie about the picture inside."""
    payload = bytearray(to_bytes(np.dstack([ROOM, ROOM[:, :, 0]]), "webp"))
    at = payload.index(b"VP8X") + 12
    payload[at : at + 3] = (9).to_bytes(3, "little")

    assert read_header(bytes(payload)).width == 10
    with pytest.raises(UnreadablePhoto):
        decode(bytes(payload), LIMIT)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_inflating_chunks_are_harmless(kind):
    """100 MB of text or profile in a small chunk is not inflated; the photo is read."""
    packed = zlib.compress(bytes(100 << 20), 9)
    head = {b"iTXt": b"a\0\1\0\0\0"}.get(kind, b"a\0\0")
    bomb = insert_chunks(PAYLOADS["png"], png_chunk(kind, head + packed))

    with taking_at_most(30):
        assert np.array_equal(decode(bomb, LIMIT).pixels, ROOM)


def test_broken_text_does_not_spoil_a_png():
    """A wrong checksum in a chunk that makes no pixels is nobody's loss."""
    broken = bytearray(insert_chunks(PAYLOADS["png"], png_chunk(b"tEXt", b"a\0b")))
    broken[33 + 8] ^= 1

    assert np.array_equal(decode(bytes(broken), LIMIT).pixels, ROOM)


@pytest.mark.parametrize("name", PAYLOADS)
def test_truncation_anywhere_is_unreadable(name):
    """A photo cut at any point is refused, never returned in part."""
    payload = PAYLOADS[name]
    for length in [*range(12, len(payload), max(1, len(payload) // 60)), len(payload) - 1]:
        with pytest.raises(UnreadablePhoto):
            decode(payload[:length], LIMIT)


@pytest.mark.parametrize("name", PAYLOADS)
def test_mutations_give_a_photo_or_an_error_of_ours(name):
    """Flipped, dropped, doubled and inserted bytes: a photo or a client's error, nothing else."""
    rng = np.random.default_rng(sum(name.encode()))
    statuses = set()
    for _ in range(120):
        mutated = mutate(PAYLOADS[name], rng)
        try:
            photo = decode(mutated, LIMIT)
        except ServiceError as error:
            statuses.add(error.status)
        else:
            assert decode(encode(photo), LIMIT).pixels.shape == photo.pixels.shape
    assert statuses <= {415, 422}
    assert 422 in statuses


def test_page_behind_a_photo_does_not_come_back():
    """A polyglot is decoded as the photo it is; the page at its end is not passed on."""
    again = encode(decode(PAYLOADS["jpeg"] + b"<script>alert(1)</script>", LIMIT))

    assert b"<script>" not in again


def test_comments_do_not_come_back():
    """Comments and XMP, where coordinates and names hide, are dropped."""
    xmp = segment(
        0xE1, b"http://ns.adobe.com/xap/1.0/\0<exif:GPSLatitude>52,31N</exif:GPSLatitude>"
    )
    jpeg = insert_segments(PAYLOADS["jpeg"], segment(0xFE, b"by Ada"), xmp)
    png = insert_chunks(PAYLOADS["png"], png_chunk(b"tEXt", b"Author\0by Ada"))

    assert b"GPSLatitude" not in encode(decode(jpeg, LIMIT))
    assert b"by Ada" not in encode(decode(jpeg, LIMIT)) + encode(decode(png, LIMIT))


def test_one_frame_animation_is_a_photo():
    """An animated PNG of a single frame is a still picture."""
    png = insert_chunks(PAYLOADS["png"], png_chunk(b"acTL", bytes([0, 0, 0, 1, 0, 0, 0, 0])))

    assert np.array_equal(decode(png, LIMIT).pixels, ROOM)


def a_long_png() -> bytes:
    frame = png_chunk(b"fcTL", bytes(26)) + png_chunk(b"fdAT", bytes(100))
    control = png_chunk(b"acTL", (10_000).to_bytes(4) + bytes(4))
    return insert_chunks(PAYLOADS["png"], control, frame * 10_000)


def a_long_webp() -> bytes:
    frame = b"ANMF" + (100).to_bytes(4, "little") + bytes(100)
    animated, size = b"\x02\0\0\0", (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    parts = b"WEBPVP8X" + (10).to_bytes(4, "little") + animated + size + frame * 10_000
    return b"RIFF" + len(parts).to_bytes(4, "little") + parts


@pytest.mark.parametrize("payload", [a_long_png(), a_long_webp()], ids=["png", "webp"])
def test_ten_thousand_frames_are_refused_at_once(payload):
    """An animation is refused by its header, however long it is."""
    with taking_at_most(20), pytest.raises(UnreadablePhoto, match="Animated"):
        decode(payload, LIMIT)


def test_good_photo_is_read_after_bad_ones():
    """A refusal leaves nothing behind."""
    for name, payload in PAYLOADS.items():
        with pytest.raises(UnreadablePhoto):
            decode(payload[: len(payload) // 2], LIMIT)
        with Image.open(io.BytesIO(payload)) as image:
            assert decode(payload, LIMIT).pixels.shape[:2] == image.size[::-1], name
