"""Photos in shared memory as a model server sees them: `handlers/sharing.py` in a whole handler."""

import errno
import json
import mmap
import os
import shutil
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_THREAD, getrusage
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from PIL import Image

from darkroom.contracts.headers import SHARED
from darkroom.contracts.sharing import (
    FOLDER_VARIABLE,
    PIXELS,
    SPARE,
    THUMBNAIL,
    Shared,
    new_request,
)
from darkroom.imaging.codec import decode
from darkroom.imaging.metrics import psnr
from handlers.overlapping import THREADS_VARIABLE
from handlers.sharing import SharedPhoto
from tests.handlers.fakes import FakeContext, FakeHandler, a_body, a_picture
from tests.photos import to_bytes

EMPTY = {"body": bytearray()}  # as a request without a body arrives


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "shared"))
    return tmp_path / "shared"


@pytest.fixture
def shared(folder):
    """A photo as the gateway puts it there; its pixels may be left."""
    name = new_request("0123456789abcdef", pixels=True)
    name.file(folder).parent.mkdir(parents=True)
    name.file(folder).write_bytes(to_bytes(a_picture()))
    return name


def asking(shared):
    return FakeContext({SHARED: shared.model_dump_json()})


def leaves_its_pixels(slot):
    """The work of a handler that leaves its photo alone, and its pixels for others."""
    slot.leave_pixels(slot.thumbnail())
    return slot.photo


def answer_of(context):
    return Shared.model_validate_json(context.replied[0, SHARED])


def test_a_photo_is_read_where_its_name_says(start, shared, folder):
    """The request carries nothing, the reply neither: both photos lie side by side."""
    context = asking(shared)

    [reply] = start().handle([EMPTY], context)

    answer = answer_of(context)
    assert (context.status.get(0, 200), reply) == (200, b"")
    assert answer.name != shared.name
    assert decode(answer.file(folder).read_bytes(), 10_000).pixels.shape == (48, 64, 3)


def test_pixels_that_were_left_are_not_decoded_again(start, shared, folder):
    """What the network sees are these, though the file shows something else."""
    left = a_picture(seed=7)
    shared.file(folder, PIXELS).write_bytes(left.tobytes())
    seen = []

    def look(slot):
        seen.append(slot.photo.pixels.copy())
        slot.photo.pixels[:] = 0  # no harm to the others: it has a copy
        return slot.photo

    start(FakeHandler(look)).handle([EMPTY], asking(shared))

    assert np.array_equal(seen[-1], left)
    assert shared.file(folder, PIXELS).read_bytes() == left.tobytes()


def test_photos_of_a_batch_stay_apart(start, folder, monkeypatch):
    """With threads, too, each answer lies beside its own photo, and shows that one."""
    monkeypatch.setenv(THREADS_VARIABLE, "3")
    names = [new_request("0123456789abcdef", pixels=True) for _ in range(7)]
    for seed, name in enumerate(names):
        name.file(folder).parent.mkdir(parents=True, exist_ok=True)
        name.file(folder).write_bytes(to_bytes(a_picture(seed)))
    context = FakeContext(*({SHARED: name.model_dump_json()} for name in names))

    def leave(slot):
        slot.leave_pixels(slot.thumbnail())
        return replace(slot.photo)

    handler = start()
    handler.work = leave

    assert handler.handle([EMPTY] * 7, context) == [b""] * 7
    for seed, name in enumerate(names):
        answer = Shared.model_validate_json(context.replied[seed, SHARED])
        assert answer.file(folder).parent == name.file(folder).parent
        mended = decode(answer.file(folder).read_bytes(), 10_000).pixels
        assert psnr(mended, a_picture(seed)) > 30


def test_pixels_of_another_size_are_not_taken(start, shared, folder):
    """Too few for the photo: half a file must not become a picture."""
    shared.file(folder, PIXELS).write_bytes(bytes(300))
    context = asking(shared)

    start().handle([EMPTY], context)

    answer = decode(answer_of(context).file(folder).read_bytes(), 10_000)
    assert answer.pixels.shape == (48, 64, 3)
    assert answer.pixels.any()


def test_pixels_and_thumbnail_are_left_for_those_who_come_next(start, shared, folder):
    """As they were decoded; the file for them is the spare one, if there is one."""
    size = 48 * 64 * 3
    shared.file(folder, SPARE).write_bytes(bytes(size))
    spare = shared.file(folder, SPARE).stat().st_ino

    start(FakeHandler(leaves_its_pixels)).handle([EMPTY], asking(shared))

    decoded = decode(shared.file(folder).read_bytes(), 10_000).pixels
    assert shared.file(folder, PIXELS).read_bytes() == decoded.tobytes()
    assert shared.file(folder, PIXELS).stat().st_ino == spare
    assert shared.file(folder, THUMBNAIL).stat().st_size == 192 * 192 * 3
    assert not shared.file(folder, SPARE).exists()


def test_two_at_work_on_one_request_do_not_disturb_each_other(start, shared, folder):
    """A slow replica's photo is asked of another: one has the spare file, each its own memory."""
    decoded = decode(shared.file(folder).read_bytes(), 10_000).pixels
    shared.file(folder, SPARE).write_bytes(bytes(decoded.nbytes))

    def spoils_its_pixels(slot):
        slot.photo.pixels[:] = 0
        return leaves_its_pixels(slot)

    def is_overtaken(slot):
        start(FakeHandler(spoils_its_pixels)).handle([EMPTY], asking(shared))
        its = SharedPhoto(shared, folder, b"").found(PIXELS)
        leaves_its_pixels(slot)
        assert not its.any()  # whoever reads them goes on reading the same
        return slot.photo

    context = asking(shared)
    slow = start(FakeHandler(leaves_its_pixels))
    slow.work = is_overtaken  # once it is warm
    slow.handle([EMPTY], context)

    assert context.status == {0: 204}
    assert shared.file(folder, PIXELS).read_bytes() == decoded.tobytes()
    assert not list(folder.rglob("*.part"))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no memory to share is known here")
@pytest.mark.parametrize("kind", ["spare", "new"])
def test_filling_shared_memory_meets_pages_that_are_there(kind):
    """All pages come at once: each by itself would cost more than what is written to it."""
    size = 500 * mmap.PAGESIZE
    with TemporaryDirectory(dir="/dev/shm") as memory:
        name = new_request("0123456789abcdef", pixels=True)
        name.file(Path(memory)).parent.mkdir(parents=True)
        if kind == "spare":
            name.file(Path(memory), SPARE).write_bytes(bytes(size))
        room = SharedPhoto(name, Path(memory), b"").room(size)

        before = getrusage(RUSAGE_THREAD).ru_minflt
        room[:: mmap.PAGESIZE] = 1

        assert getrusage(RUSAGE_THREAD).ru_minflt - before < 50


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_is_left_is_upright(start, shared, folder, orientation):
    """A photo held on its side is turned before its pixels are left."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    shared.file(folder).write_bytes(to_bytes(a_picture(), exif=exif))

    start(FakeHandler(leaves_its_pixels)).handle([EMPTY], asking(shared))

    decoded = decode(shared.file(folder).read_bytes(), 10_000).pixels
    assert decoded.shape == ((48, 64, 3) if orientation == 1 else (64, 48, 3))
    assert shared.file(folder, PIXELS).read_bytes() == decoded.tobytes()


def test_without_memory_nothing_is_left(start, shared, folder, monkeypatch):
    """The folder is full: the photo is answered all the same."""

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full)

    context = asking(shared)
    start(FakeHandler(leaves_its_pixels)).handle([EMPTY], context)

    assert context.status == {0: 204}
    assert not shared.file(folder, PIXELS).exists()


def test_a_spare_file_of_another_size_is_not_used(start, shared, folder):
    """It would leave more than the pixels; then nothing is left, and others decode."""
    shared.file(folder, SPARE).write_bytes(bytes(100_000))

    context = asking(shared)
    start(FakeHandler(leaves_its_pixels)).handle([EMPTY], context)

    assert context.status == {0: 204}
    assert not shared.file(folder, PIXELS).exists()


def test_a_thumbnail_that_was_left_is_taken(start, shared, folder):
    left = a_picture(seed=3, width=192, height=192)
    shared.file(folder, THUMBNAIL).write_bytes(left.tobytes())
    seen = []

    def look(slot):
        seen.append(slot.thumbnail())
        return slot.photo

    start(FakeHandler(look)).handle([EMPTY], asking(shared))

    assert np.array_equal(seen[-1], left)


def test_pixels_are_left_only_where_they_are_wanted(start, shared, folder):
    """Nobody comes next, or there is no room: then nothing is written."""
    unwanted = shared.model_copy(update={"pixels": False})
    start(FakeHandler(leaves_its_pixels)).handle([EMPTY], asking(unwanted))

    assert [*shared.file(folder).parent.iterdir()] == [shared.file(folder)]


def test_an_answers_pixels_take_the_place_of_the_photos(start, shared, folder):
    """They are exactly what was answered, before a JPEG has changed them."""
    shared.file(folder, PIXELS).write_bytes(a_picture().tobytes())
    context = asking(shared)
    seen = []

    def look(slot):
        seen.append(255 - slot.photo.pixels)
        return type(slot.photo)(seen[-1], slot.photo.format)

    start(FakeHandler(look)).handle([EMPTY], context)

    assert answer_of(context).file(folder, PIXELS).read_bytes() == seen[-1].tobytes()
    assert not shared.file(folder, PIXELS).exists()


def test_transparent_photos_are_decoded_by_each(start, shared, folder):
    """Pixels alone would lose their alpha."""
    rgba = np.dstack([a_picture(), np.full((48, 64), 90, np.uint8)])
    shared.file(folder).write_bytes(to_bytes(rgba, "png"))
    context = asking(shared)

    def look(slot):
        slot.leave_pixels(slot.thumbnail())
        return type(slot.photo)(slot.photo.pixels, slot.photo.format, slot.photo.alpha)

    start(FakeHandler(look)).handle([EMPTY], context)

    answer = decode(answer_of(context).file(folder).read_bytes(), 10_000)
    assert answer.alpha is not None
    assert not list(folder.rglob("*.pixels"))


def test_a_photo_left_alone_is_named_as_it_was(start, shared):
    """204: the request's own photo is the answer."""
    context = asking(shared)

    start(FakeHandler(lambda slot: slot.photo)).handle([EMPTY], context)

    assert context.status == {0: 204}
    assert answer_of(context).name == shared.name


def test_a_refusal_says_that_the_photo_was_seen(start, shared, folder):
    """A broken photo is not sent once more."""
    shared.file(folder).write_bytes(b"no photo")
    context = asking(shared)

    start().handle([EMPTY], context)

    assert context.status == {0: 415}
    assert answer_of(context).name == shared.name


def test_who_does_not_see_the_folder_says_nothing_of_it(start, shared, folder):
    """A model server elsewhere answers the bytes that it got; without any it refuses."""
    shutil.rmtree(folder)
    with_bytes, without = asking(shared), asking(shared)
    handler = start()

    [mended] = handler.handle([a_body()], with_bytes)
    handler.handle([EMPTY], without)

    assert decode(mended, 10_000).pixels.shape == (48, 64, 3)
    assert without.status == {0: 415}
    assert not {(0, SHARED)} & (with_bytes.replied.keys() | without.replied.keys())


def test_nothing_is_shared_unless_the_server_is_told_where(start, shared, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    context = asking(shared)

    start().handle([EMPTY], context)

    assert context.status == {0: 415}


def test_an_answer_travels_when_its_folder_is_gone(start, shared, folder):
    """The gateway has removed the request meanwhile, or the memory is full."""

    def look(slot):
        if slot.shared is not None:
            shutil.rmtree(folder)
        return type(slot.photo)(slot.photo.pixels, slot.photo.format)

    context = asking(shared)
    [reply] = start(FakeHandler(look)).handle([EMPTY], context)

    assert decode(reply, 10_000).pixels.shape == (48, 64, 3)
    assert answer_of(context).name == shared.name


@pytest.mark.parametrize("header", ["", "{}", '{"name":"../../etc/passwd"}', "\N{SNOWMAN}"])
@pytest.mark.usefixtures("folder")
def test_a_header_that_names_no_photo_is_refused(start, header):
    context = FakeContext({SHARED: header})

    [reply] = start().handle([a_body()], context)

    assert json.loads(reply)["code"] == "malformed_request"
