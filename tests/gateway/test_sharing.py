"""Photos in shared memory instead of on the way: `gateway/sharing.py` in a whole gateway."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest

from darkroom.contracts import headers
from darkroom.contracts.sharing import PIXELS, SPARE, Shared
from gateway.sharing import Sharing
from tests.gateway.photos import a_photo, brightness
from tests.gateway.replica import a_diagnosis, answers, in_hand

DARK_AND_NOISY = a_diagnosis(low_light=0.9, noisy=0.7)
PIXELS_SIZE = 80 * 60 * 3  # of `a_photo`, in bytes


@pytest.fixture
async def client(gateway, replica, tmp_path):
    """A gateway that shares a folder with its one replica, which has answered once already."""
    replica.shared_folder = tmp_path / "shared"
    started = await gateway(shared_folder=replica.shared_folder, restore_url=replica.url)
    await enhanced(started)
    replica.seen.clear()
    return started


async def enhanced(client, photo=None, status=200):
    async with client.post("/enhance_image", data=photo or a_photo()) as reply:
        assert reply.status == status
        return await reply.read()


@asynccontextmanager
async def a_request(sharing, photo):
    """One that is over when this ends, with its files out of the way."""
    async with sharing.shared(in_hand(photo)) as work:
        yield work
    await asyncio.sleep(0)  # the event loop's next turn


def told(replica):
    """What each hop was told of shared memory."""
    return [Shared.model_validate_json(sent[headers.SHARED]) for _, sent, _ in replica.seen]


def files_in(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_photos_go_by_name_to_those_who_see_them(client, replica):
    """Nothing but headers travels to the replica or back, and the client gets its photo."""
    mended = await enhanced(client)

    assert [(model, body) for model, _, body in replica.seen] == [("defects", b""), ("tone", b"")]
    assert brightness(mended) > brightness(a_photo()) + 30


async def test_a_replica_has_to_say_first_that_it_sees_them(gateway, replica, tmp_path):
    """Until then it gets the bytes; whoever is elsewhere gets them for ever."""
    client = await gateway(shared_folder=tmp_path / "shared")
    for _ in range(3):
        await enhanced(client)

    assert {body for _, _, body in replica.seen} == {a_photo()}


async def test_a_replica_that_loses_sight_gets_the_bytes_at_once(client, replica):
    """Restarted elsewhere: the photo is sent again, and its client notices nothing."""
    replica.shared_folder = None

    mended = await enhanced(client)

    bodies = [body for _, _, body in replica.seen]
    assert bodies == [b"", a_photo(), b"", a_photo()]
    assert brightness(mended) > brightness(a_photo()) + 30


async def test_each_step_goes_on_with_what_the_last_has_left(client, replica):
    """`tone` is pointed to the restored photo, which the gateway has not sent on."""
    replica.diagnosis = DARK_AND_NOISY

    await enhanced(client)

    defects, restore, tone = told(replica)
    assert defects.name == restore.name != tone.name
    assert (defects.pixels, restore.pixels, tone.pixels) == (True, True, False)  # the last: no one


async def test_pixels_are_not_asked_for_where_nothing_follows(client, replica):
    """A diagnosis alone."""
    async with client.post("/diagnose", data=a_photo()) as reply:
        assert reply.status == 200

    assert [shared.pixels for shared in told(replica)] == [False]


async def test_nothing_is_left_behind(client, replica):
    """Neither of mended photos nor of those that fail midway."""
    await enhanced(client)
    replica.behaviours["tone"] = answers(500)
    await enhanced(client, status=503)

    assert files_in(replica.shared_folder) == []


async def test_without_room_photos_are_sent(gateway, replica, tmp_path):
    """One byte is no room for any photo."""
    replica.shared_folder = tmp_path / "shared"
    client = await gateway(shared_folder=replica.shared_folder, shared_bytes=1)
    for _ in range(2):
        await enhanced(client)

    assert {body for _, _, body in replica.seen} == {a_photo()}
    assert not any(headers.SHARED in sent for _, sent, _ in replica.seen)


async def test_with_little_room_no_pixels_are_left(gateway, replica, tmp_path):
    """The file fits, 80×60×3 bytes more do not."""
    replica.shared_folder = tmp_path / "shared"
    room = len(a_photo()) + 80 * 60 * 3 - 1
    client = await gateway(shared_folder=replica.shared_folder, shared_bytes=room)
    await enhanced(client)

    assert [shared.pixels for shared in told(replica)] == [False, False]


async def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(gateway, replica, tmp_path):
    """A file stands where it should be: photos are sent as ever."""
    (tmp_path / "file").write_text("in the way")
    client = await gateway(shared_folder=tmp_path / "file" / "shared")
    await enhanced(client)

    assert {body for _, _, body in replica.seen} == {a_photo()}


async def test_a_folder_that_vanishes_is_no_reason_to_fail(client, replica):
    shutil.rmtree(replica.shared_folder)

    await enhanced(client)

    assert {body for _, _, body in replica.seen} == {a_photo()}


async def test_an_answer_that_is_not_there_is_the_replicas_failure(client, replica):
    async def promises(request):
        name = Shared.model_validate_json(request.headers[headers.SHARED]).another()
        reply = await replica._answer(request)
        reply.headers[headers.SHARED] = name.model_dump_json()
        return reply

    replica.behaviours["tone"] = promises

    await enhanced(client, status=503)


async def test_an_answer_over_the_limit_is_not_read(gateway, replica, tmp_path):
    """Which would be refused on the way, too."""
    replica.shared_folder = tmp_path / "shared"
    client = await gateway(shared_folder=replica.shared_folder, max_reply_bytes=1500)

    await enhanced(client, a_photo(size=(8, 6)))
    await enhanced(client, a_photo(size=(160, 120)), status=503)


async def test_the_file_of_pixels_is_used_again(tmp_path):
    """For the next photo of that size and no other, with nobody holding it meanwhile."""
    sharing = Sharing(tmp_path, 1 << 20)
    same, other = a_photo(size=(80, 60)), a_photo(size=(60, 90))
    with sharing.opened():
        async with a_request(sharing, same) as work:
            work.photo.shared.file(tmp_path, PIXELS).write_bytes(bytes(80 * 60 * 3))
            made = work.photo.shared.file(tmp_path, PIXELS).stat().st_ino
        async with a_request(sharing, other) as work:
            assert not work.photo.shared.file(tmp_path, SPARE).exists()
        async with a_request(sharing, same) as first, a_request(sharing, same) as second:
            assert first.photo.shared.file(tmp_path, SPARE).stat().st_ino == made
            assert not second.photo.shared.file(tmp_path, SPARE).exists()

    assert files_in(tmp_path) == []


async def test_few_files_are_kept_to_be_used_again(tmp_path):
    """A quarter of the room: the oldest go first."""
    size = 80 * 60 * 3
    sharing = Sharing(tmp_path, 8 * size)
    with sharing.opened():
        for width in (80, 60, 40):
            async with a_request(sharing, a_photo(size=(width, 60))) as work:
                work.photo.shared.file(tmp_path, PIXELS).write_bytes(bytes(width * 60 * 3))
        kept = [file.stat().st_size for file in files_in(tmp_path)]

    assert sorted(kept) == [40 * 60 * 3, 60 * 60 * 3]


def with_free_memory(monkeypatch, free_bytes):
    found = shutil.disk_usage("/")._replace(free=free_bytes)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: found)


@pytest.mark.parametrize("short", [0, 1])
async def test_half_of_the_free_memory_is_left_to_others(tmp_path, monkeypatch, short):
    """However much is allowed: without room for its pixels a photo lies there alone."""
    with_free_memory(monkeypatch, 2 * (len(a_photo()) + PIXELS_SIZE - short))
    sharing = Sharing(tmp_path, 1 << 30)

    with sharing.opened():
        async with a_request(sharing, a_photo()) as work:
            assert work.photo.shared.pixels is (short == 0)


async def test_spare_files_do_not_take_the_last_free_memory(tmp_path, monkeypatch):
    """They have a quarter of what there is, not of what was allowed: the next photo has room."""
    with_free_memory(monkeypatch, 2 * 4 * PIXELS_SIZE)
    sharing = Sharing(tmp_path, 1 << 30)

    with sharing.opened():
        for width in (80, 70, 60, 50, 80):
            async with a_request(sharing, a_photo(size=(width, 60))) as work:
                assert work.photo.shared.pixels
                work.photo.shared.file(tmp_path, PIXELS).write_bytes(bytes(width * 60 * 3))
