import io

import pytest
from PIL import ExifTags, Image

from darkroom.imaging.exif import clean_exif, read_orientation, stamp_size
from tests.imaging.forge import GPS_SECRET, MAKER_NOTE, forge_exif
from tests.photos import to_bytes
from tests.rooms import draw_room

PREVIEW = b"a tiny picture" * 20


def read_with_pillow(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_in_both_byte_orders(order, orientation):
    """Cameras write either byte order; both mean the same orientation."""
    assert read_orientation(forge_exif(orientation, order)) == orientation


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_impossible_orientation_counts_as_upright(orientation):
    """A value outside 1…8 says nothing."""
    assert read_orientation(forge_exif(orientation)) == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_cleaning_removes_gps_and_thumbnail_bytes(order):
    """What is dropped is overwritten, not merely unlinked."""
    cleaned = clean_exif(forge_exif(6, order, PREVIEW))

    assert GPS_SECRET not in cleaned
    assert PREVIEW[:14] not in cleaned
    exif = read_with_pillow(cleaned)
    assert 0x8825 not in exif
    assert not exif.get_ifd(0x8825)
    assert not exif.get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("order", ["<", ">"])
def test_cleaning_keeps_the_rest_and_sets_the_orientation_upright(order):
    """Maker and maker note survive; the orientation becomes 1."""
    exif = read_with_pillow(clean_exif(forge_exif(6, order, PREVIEW)))

    assert exif[0x010F].rstrip("\0") == "Darkroo"
    assert exif[0x0112] == 1
    assert exif.get_ifd(0x8769)[0x927C] == MAKER_NOTE


def test_maker_note_keeps_its_place():
    """Maker notes hold offsets into the block, so they must not move."""
    block = forge_exif(6, thumbnail=PREVIEW)

    assert clean_exif(block).index(MAKER_NOTE) == block.index(MAKER_NOTE)


def test_thumbnail_at_the_end_gives_its_bytes_back():
    """A cleaned block is shorter by the thumbnail."""
    block = forge_exif(thumbnail=PREVIEW)

    assert len(clean_exif(block)) == len(block) - len(PREVIEW)


def test_size_tags_follow_the_picture():
    """A cropped or turned photo does not keep the size of its source in its EXIF."""
    exif = read_with_pillow(stamp_size(forge_exif(), 640, 480)).get_ifd(0x8769)

    assert (exif[0xA002], exif[0xA003]) == (640, 480)


def test_every_truncation_is_survived():
    """A block cut anywhere gives a block without GPS or nothing at all, never an exception."""
    block = forge_exif(6, thumbnail=PREVIEW)
    for length in range(len(block)):
        cut = block[:length]
        assert GPS_SECRET not in clean_exif(cut)
        assert 1 <= read_orientation(cut) <= 8
        assert len(stamp_size(cut, 8, 6)) == length


def test_directory_that_points_to_itself_is_survived():
    """A loop of directories ends."""
    block = bytearray(forge_exif())
    gps_entry = block.index(b"\x25\x88\x04\x00")
    block[gps_entry + 8 : gps_entry + 12] = (8).to_bytes(4, "little")

    cleaned = clean_exif(bytes(block))

    assert 0x8825 not in (read_with_pillow(cleaned) if cleaned else {})


@pytest.mark.parametrize(
    ("count", "entries"),
    [(1001, b"\x0f\x01" + bytes(10)), (2, b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0")],
)
def test_directory_that_no_camera_writes_counts_as_broken(count, entries):
    """More entries than there are tags, or the orientation twice: upright, and nothing is kept."""
    block = b"II*\0" + (8).to_bytes(4, "little") + count.to_bytes(2, "little") + count * entries

    assert read_orientation(block) == 1
    assert clean_exif(block) == b""


def test_oversized_block_is_dropped():
    """A PNG may carry megabytes of EXIF; what no JPEG could hold is not walked."""
    assert clean_exif(forge_exif(6) + bytes(1 << 20)) == b""


def test_cleaned_block_is_readable_in_a_file():
    """A reader of our own files finds the kept tags where the standard wants them."""
    jpeg = to_bytes(draw_room(1, 32, 24), exif=b"Exif\0\0" + clean_exif(forge_exif(3)))

    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.getexif()[0x0112] == 1
