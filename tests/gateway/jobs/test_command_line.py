"""`darkroom jobs submit`: folders through the queue."""

import asyncio
import signal
import sys

import pytest
from typer.testing import CliRunner, Result

from darkroom.cli import app
from tests.gateway.photos import a_photo, brightness


@pytest.fixture
def folder(tmp_path):
    """Two photos and something else."""
    folder = tmp_path / "attic"
    folder.mkdir()
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        (folder / name).write_bytes(a_photo(seed=seed))
    (folder / "notes.txt").write_text("not a photo")
    return folder


@pytest.fixture
def run(jobs, folder, tmp_path, monkeypatch):
    """Run the command in a thread: the service lives on this loop."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DARKROOM_URL", jobs.url)
    words = ["jobs", "submit", str(folder), "--out", str(tmp_path / "out")]

    async def run(*more: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, *more])

    return run


async def test_folder_comes_back_mended(jobs, work, run, folder, tmp_path):
    """Each photo's result has its name; the table names both and nothing else."""
    work(jobs)

    ended = await run()

    assert ended.exit_code == 0, ended.output
    assert "2 of 2 photos done" in ended.stdout
    assert "notes.txt" not in ended.stdout
    for name in ("a.jpg", "b.jpg"):
        mended = (tmp_path / "out" / name).read_bytes()
        assert brightness(mended) > brightness((folder / name).read_bytes()) + 30


async def test_same_command_again_goes_on_and_sends_nothing_twice(jobs, work, run, tmp_path):
    """After an interruption only what is missing is fetched; there are two jobs, not four."""
    work(jobs)
    await run()
    (tmp_path / "out" / "b.jpg").unlink()

    ended = await run()

    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "out" / "b.jpg").exists()
    assert jobs.rows("SELECT count(*) FROM jobs") == [{"count": 2}]


async def test_ctrl_c_ends_it_and_the_next_run_goes_on(jobs, work, run, folder, tmp_path):
    """Status 130 and a word on how to go on; what had been handed over is not sent again."""
    words = ["jobs", "submit", str(folder), "--out", str(tmp_path / "out")]
    # Where pytest runs in the background and is to ignore Ctrl-C, its children would too.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupted = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom.cli", *words), stderr=asyncio.subprocess.PIPE
    )
    signal.signal(signal.SIGINT, ours)
    async with asyncio.timeout(60):
        while jobs.rows("SELECT count(*) FROM jobs") != [{"count": 2}]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        interrupted.send_signal(signal.SIGINT)
        _, said = await interrupted.communicate()
    work(jobs)

    ended = await run()

    assert (interrupted.returncode, ended.exit_code) == (130, 0)
    assert b"goes on from here" in said
    assert jobs.rows("SELECT count(*) FROM jobs") == [{"count": 2}]


async def test_other_wishes_are_other_jobs(jobs, work, run, tmp_path):
    """With another strength the photos are worked on anew, and the results replaced."""
    work(jobs)
    await run()
    (tmp_path / "out" / "a.jpg").write_bytes(b"of the first run")

    await run("--strength", "0.5")

    assert jobs.rows("SELECT count(*) FROM jobs") == [{"count": 4}]
    assert (tmp_path / "out" / "a.jpg").read_bytes() != b"of the first run"


async def test_failed_photo_is_named_with_its_reason(jobs, work, run, folder):
    """The others are done all the same; the exit status says that not all went well."""
    (folder / "c.jpg").write_bytes(b"%PDF-1.7")
    work(jobs)

    ended = await run()

    assert ended.exit_code == 1
    row = next(line for line in ended.stdout.splitlines() if "c.jpg" in line)
    assert "failed" in row
    assert "not a JPEG, PNG or WebP" in row
    assert "2 of 3 photos done, 1 failed" in ended.stdout
