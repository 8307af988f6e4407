"""`darkroom votes`: folders to the vote, and back as a report."""

import asyncio
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from darkroom.cli import app
from tests.gateway.photos import a_photo


@pytest.fixture
def folders(tmp_path):
    """Two models' outputs: two photos of both, one of the first alone."""
    for seed, model in enumerate(("old", "new")):
        (tmp_path / model).mkdir()
        for name in ("a.jpg", "b.jpg"):
            (tmp_path / model / name).write_bytes(a_photo(seed=seed))
    (tmp_path / "old" / "c.jpg").write_bytes(a_photo())
    (tmp_path / "new" / "notes.txt").write_text("no photo")
    return [str(tmp_path / "old"), str(tmp_path / "new")]


@pytest.fixture
def run(jobs, tmp_path, monkeypatch):
    """Run `darkroom votes` in a thread: the service lives on this loop."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DARKROOM_URL", jobs.url)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["votes", *words])

    return run


async def test_folders_are_judged_and_reported(run, folders, new_voter, tmp_path):
    """From two folders to a report that names the one people preferred."""
    made = await run("new", "tone 2", *folders)
    assert made.exit_code == 0, made.output
    assert "/compare?vote=tone%202" in made.stdout
    assert "1 photos are not in every folder" in made.stderr

    for _ in range(3):
        voter = new_voter()
        for pair in (await voter.next("tone 2"))["pairs"]:
            shown = await voter.get(pair["leftUrl"].removeprefix("/api/votes"))
            choice = "left" if shown == a_photo(seed=1) else "right"
            await voter.judge("tone 2", pair["id"], choice)
    told = await run("report", "tone 2", "--out", str(tmp_path / "report"))

    assert told.exit_code == 0, told.output
    first = next(line for line in told.stdout.splitlines() if "6 of 6" in line)
    assert "new" in first
    assert "6 ballots of 3 voters" in told.stdout
    assert (tmp_path / "report" / "report.png").stat().st_size > 10_000
    assert "tone 2" in (await run("list")).stdout


async def test_same_command_again_finds_the_vote(run, folders, jobs):
    """Nothing is sent twice and nothing complained of."""
    for _ in range(2):
        assert (await run("new", "tone", *folders)).exit_code == 0

    assert jobs.rows("SELECT count(*) FROM votes") == [{"count": 1}]


async def test_folders_of_one_name_need_labels(run, tmp_path):
    """`LABEL=FOLDER` gives them; without, it is said."""
    for model in ("one", "two"):
        (tmp_path / model / "out").mkdir(parents=True)
        (tmp_path / model / "out" / "a.jpg").write_bytes(a_photo())
    one, two = (str(tmp_path / model / "out") for model in ("one", "two"))

    assert "LABEL=FOLDER" in (await run("new", "tone", one, two)).output
    assert (await run("new", "tone", f"one={one}", f"two={two}")).exit_code == 0


@pytest.mark.usefixtures("folders")
async def test_wrong_folders_are_named(run, tmp_path):
    """None, one, one that is not there, one with nothing in common: wrong usage."""
    (tmp_path / "empty").mkdir()

    for words in ((), ("old",), ("old", "nowhere"), ("old", "empty")):
        ended = await run("new", "tone", *(str(tmp_path / word) for word in words))

        assert ended.exit_code == 2, words


async def test_what_the_service_refuses_is_said(run, folders, new_voter):
    """A name that is taken, and a vote of somebody else's."""
    await new_voter().make("tone", ["a", "b"], ["1.jpg"])

    for words in (("new", "tone", *folders), ("report", "tone"), ("delete", "tone")):
        ended = await run(*words)
        assert ended.exit_code == 1
        assert ended.stderr.strip()


async def test_vote_nobody_has_judged_has_no_report(run, folders):
    """And once deleted it is not there."""
    await run("new", "tone", *folders)

    assert "Nobody has judged" in (await run("report", "tone")).stderr
    assert (await run("delete", "tone")).exit_code == 0
    assert "no such vote" in (await run("report", "tone")).stderr


def test_nothing_but_the_report_needs_more_than_the_client():
    """The command line loads neither numpy nor matplotlib before it has to."""
    program = "import sys, darkroom.votes.commands; print({'numpy', 'choix'} & sys.modules.keys())"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.stdout == "set()\n", ended.stderr


async def test_missing_packages_are_named(run, folders, new_voter, monkeypatch):
    """Without the extra the report says which one it needs."""
    await run("new", "tone", *folders)
    voter = new_voter()
    await voter.judge("tone", (await voter.next("tone"))["pairs"][0]["id"], "left")
    monkeypatch.setitem(sys.modules, "choix", None)
    monkeypatch.delitem(sys.modules, "darkroom.votes.report", raising=False)
    monkeypatch.delitem(sys.modules, "darkroom.votes.strengths", raising=False)

    ended = await run("report", "tone")

    assert ended.exit_code == 1
    assert "darkroom[votes]" in ended.stderr
