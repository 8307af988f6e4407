import io

import numpy as np
import pytest
from PIL import Image

from darkroom.contracts.errors import UnreadablePhoto
from darkroom.imaging.jpeg import estimate_quality, read_coding, standard_tables
from tests.imaging.forge import insert_segments, segment
from tests.photos import to_bytes
from tests.rooms import draw_room

ROOM = draw_room(3, 80, 60)


def test_tables_are_those_that_libjpeg_used():
    """Luma comes first, in natural order: Pillow reads the same tables."""
    payload = to_bytes(ROOM, quality=70)
    with Image.open(io.BytesIO(payload)) as image:
        expected = [image.quantization[0], image.quantization[1]]

    assert [table.tolist() for table in read_coding(payload).quantisation] == expected


@pytest.mark.parametrize("quality", [5, 10, 25, 50, 75, 85, 90, 95, 100])
def test_quality_is_estimated_from_the_tables(quality):
    """The tables of an IJG quality lead back to it."""
    tables = read_coding(to_bytes(ROOM, quality=quality)).quantisation

    assert estimate_quality(tables) == pytest.approx(quality, abs=1)


def test_quality_of_the_coarsest_tables_is_the_lowest():
    """Tables clipped everywhere still have a quality."""
    assert estimate_quality((np.full(64, 255, np.uint16),)) == 1


@pytest.mark.parametrize(("pillow", "name"), [(0, "444"), (1, "422"), (2, "420")])
def test_subsampling_is_read(pillow, name):
    """Chroma factors are named as everybody names them."""
    assert read_coding(to_bytes(ROOM, subsampling=pillow)).subsampling == name


def test_grey_has_one_table_and_no_subsampling():
    """A grey JPEG has no chroma to speak of."""
    coding = read_coding(to_bytes(Image.fromarray(ROOM).convert("L")))

    assert len(coding.quantisation) == 1
    assert coding.subsampling is None


@pytest.mark.parametrize("data", [b"\0" + bytes(10), b"\x10" + bytes(64)])
def test_short_table_is_unreadable(data):
    """A table that ends early is no table, be it of 8 or of 16 bits."""
    with pytest.raises(UnreadablePhoto):
        read_coding(insert_segments(to_bytes(ROOM), segment(0xDB, data)))


def test_missing_table_is_unreadable():
    """Components may not refer to tables that are not there."""
    payload = to_bytes(ROOM)
    while (at := payload.find(b"\xff\xdb")) >= 0:
        length = int.from_bytes(payload[at + 2 : at + 4])
        payload = payload[:at] + payload[at + 2 + length :]

    with pytest.raises(UnreadablePhoto):
        read_coding(payload)


def test_progressive_file_is_read():
    """Ten honest scans are no bomb."""
    assert read_coding(to_bytes(ROOM, progressive=True)).subsampling == "420"


def test_thousands_of_scans_are_refused():
    """Empty scans of a progressive file are cheap to send and dear to decode."""
    payload = to_bytes(ROOM, progressive=True)
    scan = payload.rindex(b"\xff\xda")
    bomb = payload[:-2] + payload[scan:-2] * 1000 + b"\xff\xd9"

    with pytest.raises(UnreadablePhoto):
        read_coding(bomb)


@pytest.mark.parametrize("quality", [30, 85, 95])
def test_standard_tables_are_those_that_an_encoder_writes(quality):
    """Luma and chroma, value by value."""
    written = read_coding(to_bytes(ROOM, quality=quality)).quantisation

    assert [table.tolist() for table in standard_tables(quality)] == [t.tolist() for t in written]
