"""A gateway's own part of the shared folder, `gateway/own_folder.py`."""

import fcntl
import os

from gateway.own_folder import own_folder


def test_each_has_a_part_for_as_long_as_it_lasts(tmp_path):
    with own_folder(tmp_path / "shared") as one, own_folder(tmp_path / "shared") as other:
        (one / "photo").write_bytes(b"x")
        assert one != other
        assert one.parent == other.parent == tmp_path / "shared"

    assert [*(tmp_path / "shared").iterdir()] == []


def test_nobody_else_can_read_it(tmp_path):
    with own_folder(tmp_path / "shared") as folder:
        assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]


def test_what_dead_ones_have_left_is_removed(tmp_path):
    """At once; not what another holds that lives, nor what one is about to take hold of."""
    folders = {name: tmp_path / name for name in ("dead", "living", ".new")}
    for folder in folders.values():
        folder.mkdir()
        (folder / "photo").write_bytes(b"x")
    held = os.open(folders["living"], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    with own_folder(tmp_path):
        left = {name for name, folder in folders.items() if folder.exists()}

    os.close(held)
    assert left == {"living", ".new"}
