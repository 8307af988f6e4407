"""Tests of `darkroom.cli`: what lands in files, on the terminal and in the exit status."""

import json
import socket
import sys

import pytest
from typer.testing import CliRunner

from darkroom.cli import app
from darkroom.contracts.defects import Defect
from darkroom.contracts.errors import UnreadablePhoto
from tests.fake_service import MENDED, running_service


@pytest.fixture
def service():
    with running_service() as service:
        yield service


@pytest.fixture
def run(service, monkeypatch):
    """Run the command line against the fake service, on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DARKROOM_URL", service.url)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path):
    """Two files that pass for photos here: the fake service looks at their bytes only."""
    folder = tmp_path / "originals"
    folder.mkdir()
    files = [folder / "kitchen.jpg", folder / "attic.png"]
    for file in files:
        file.write_bytes(file.name.encode())
    return files


def test_enhance_writes_each_photo_under_its_name(run, photos, tmp_path):
    """Mended photos land in the folder under their own names; the originals stay as they were."""
    ended = run("enhance", *photos, "--out", tmp_path / "new" / "mended")

    assert ended.exit_code == 0, ended.output
    assert {f.name: f.read_bytes() for f in (tmp_path / "new" / "mended").iterdir()} == {
        "kitchen.jpg": MENDED,
        "attic.png": MENDED,
    }
    assert [file.read_bytes() for file in photos] == [b"kitchen.jpg", b"attic.png"]


def test_enhance_tells_what_was_found_and_done(run, photos, tmp_path):
    """The table names the defects, the steps done and the steps left out with the reason."""
    ended = run("enhance", photos[0], "--out", tmp_path / "mended")

    row = next(line for line in ended.stdout.splitlines() if "kitchen.jpg" in line)
    assert "low_light, noisy" in row
    assert "tone (low_light)" in row
    assert "restore (not_in_cluster)" in row


def test_photo_with_nothing_to_mend_is_not_copied(run, service, photos, tmp_path):
    """A good photo is named as such and leaves no file."""
    service.found = ()

    ended = run("enhance", photos[0], "--out", tmp_path / "mended")

    assert ended.exit_code == 0
    assert "nothing to mend" in ended.stdout
    assert list((tmp_path / "mended").iterdir()) == []


def test_photo_with_nothing_to_mend_is_copied_on_demand(run, service, photos, tmp_path):
    """With --copy-unchanged the folder is complete: good photos arrive byte for byte."""
    service.found = ()

    run("enhance", photos[0], "--out", tmp_path / "mended", "--copy-unchanged")

    assert (tmp_path / "mended" / "kitchen.jpg").read_bytes() == b"kitchen.jpg"


def test_original_is_never_overwritten(run, service, photos):
    """--out naming the photo's own folder is wrong usage, and nothing is sent."""
    ended = run("enhance", *photos, "--out", photos[0].parent)

    assert ended.exit_code == 2
    assert [file.read_bytes() for file in photos] == [b"kitchen.jpg", b"attic.png"]
    assert service.received == []


def test_original_behind_a_link_is_not_overwritten(run, photos, tmp_path):
    """A link to the originals' folder is the originals' folder."""
    (tmp_path / "elsewhere").symlink_to(photos[0].parent)

    assert run("enhance", photos[0], "--out", tmp_path / "elsewhere").exit_code == 2


def test_two_photos_of_one_name_are_refused(run, service, photos, tmp_path):
    """Files that would land on one another are wrong usage."""
    twin = tmp_path / photos[0].name
    twin.write_bytes(b"another kitchen")

    ended = run("enhance", photos[0], twin, "--out", tmp_path / "mended")

    assert ended.exit_code == 2
    assert service.received == []


def test_failed_photo_leaves_the_others_mended(run, service, photos, tmp_path):
    """One refusal: exit status 1, the reason beside the table, no file of it, the other mended."""
    service.refusals[b"kitchen.jpg"] = UnreadablePhoto("It ends too early.")

    ended = run("enhance", *photos, "--out", tmp_path / "mended")

    assert ended.exit_code == 1
    assert f"{photos[0]}: It ends too early." in ended.stderr
    assert "1 of 2 photos failed" in ended.stderr
    assert [file.name for file in (tmp_path / "mended").iterdir()] == ["attic.png"]


def test_photo_refused_for_the_load_is_sent_again(run, service, photos, tmp_path):
    """A folder has time: what there was no room for a moment ago is mended in the end."""
    service.busy = 1

    ended = run("enhance", *photos, "--out", tmp_path / "mended")

    assert ended.exit_code == 0
    assert len(service.received) == 1 + len(photos)
    assert len(list((tmp_path / "mended").iterdir())) == len(photos)


def test_endless_load_is_told_of_in_the_end(run, service, photos, tmp_path, monkeypatch):
    """After the last try the refusal is a photo's failure like any other."""
    monkeypatch.setattr("darkroom.photos_cli.TRIES", 2)
    service.busy = 100

    ended = run("enhance", photos[0], "--out", tmp_path / "mended")

    assert ended.exit_code == 1
    assert "1 of 1 photos failed" in ended.stderr
    assert len(service.received) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["enhance", "missing.jpg", "--out", "mended"],
        ["enhance", "--out", "mended"],
        ["diagnose", "missing.jpg"],
        ["diagnose", "--no-such-option"],
        ["scale", "tone"],
        ["scale", "tone=many"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_status_2(run, words):
    """What cannot be meant is refused with status 2."""
    assert run(*words).exit_code == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["empty", "--out", "out"], "no photos"),
        (["originals", "--out", "originals"], "overwritten"),
        (["originals", "--out", "out", "--defect", "hazy"], "--defect belongs"),
        (["originals", "--out", "out", "--operation", "fix_defect"], "--defect belongs"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_folder_that_makes_no_jobs_is_wrong_usage(run, tmp_path, monkeypatch, words, reason):
    """Nothing in it, its own results' folder, a defect without its operation and the reverse."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()

    ended = run("jobs", "submit", *words)

    assert ended.exit_code == 2
    assert reason in ended.stderr


def test_wrong_strength_is_status_2(run, photos, tmp_path):
    """An option outside its range never reaches the service."""
    words = ["enhance", photos[0], "--out", tmp_path / "mended", "--strength", "1.5"]

    assert run(*words).exit_code == 2


def test_options_reach_the_service(run, service, photos, tmp_path):
    """Strength, steps and budget travel with the photo."""
    options = ["--strength", "0.5", "--step", "tone", "--step", "restore", "--budget-ms", "700"]

    run("enhance", photos[0], "--out", tmp_path / "mended", *options)

    assert service.received[0][1] == {
        "strength": "0.5",
        "steps": "tone,restore",
        "budget_ms": "700",
    }


def test_colorize_sends_what_is_asked(run, service, photos, tmp_path):
    """Model and render factor travel; the coloured photo keeps its name in another folder."""
    out = tmp_path / "coloured"

    ended = run("colorize", photos[0], "--out", out, "--model", "stable", "--render-factor", "21")

    assert ended.exit_code == 0
    path, options, _ = service.received[0]
    assert path == "/colorize"
    assert options == {"model": "stable", "render_factor": "21", "strength": "1.0"}
    assert (out / photos[0].name).read_bytes() == MENDED


@pytest.mark.parametrize(
    "option", [("--render-factor", "46"), ("--render-factor", "6"), ("--model", "video")]
)
def test_colours_that_there_are_not_are_wrong_usage(run, service, photos, tmp_path, option):
    """A factor out of range or an unknown model never reaches the service."""
    ended = run("colorize", photos[0], "--out", tmp_path / "coloured", *option)

    assert ended.exit_code == 2
    assert service.received == []


def test_photos_under_way_are_bounded(run, service, tmp_path):
    """--at-once is how many photos are sent at the same time, however many there are."""
    service.delay_s, service.company = 0.05, 3
    files = [tmp_path / f"{number}.jpg" for number in range(9)]
    for file in files:
        file.write_bytes(b"photo")

    run("enhance", *files, "--out", tmp_path / "mended", "--at-once", "3")

    assert len(service.received) == 9
    assert service.most_at_once == 3


def test_diagnose_shows_every_severity(run, photos):
    """The table has a column for each defect and a number for each photo."""
    ended = run("diagnose", *photos)

    assert ended.exit_code == 0
    row = next(line for line in ended.stdout.splitlines() if "attic.png" in line)
    assert row.count("0.75") == 2
    assert row.count("0.00") == len(Defect) - 2


def test_brackets_in_a_name_are_shown(run, photos):
    """A file's name is shown as it is, whatever the terminal's markup would make of it."""
    odd = photos[0].rename(photos[0].with_name("kitchen [red].jpg"))

    assert "kitchen [red].jpg" in run("diagnose", odd).stdout


def test_diagnose_prints_json_for_programs(run, service, photos):
    """--json prints one entry for each photo, an answer or an error with its code."""
    service.refusals[b"attic.png"] = UnreadablePhoto()

    ended = run("diagnose", *photos, "--json")

    kitchen, attic = json.loads(ended.stdout)
    assert kitchen["diagnosis"]["severities"]["low_light"] == 0.75
    assert (attic["file"], attic["error"]["code"]) == (str(photos[1]), "unreadable_photo")
    assert ended.exit_code == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense"])
def test_absent_service_has_a_code_for_programs(run, photos, url):
    """In JSON an absent service is told from a refused photo."""
    ended = run("diagnose", photos[0], "--url", url, "--json")

    assert json.loads(ended.stdout)[0]["error"]["code"] == "unreachable"


def test_absent_service_is_said_plainly(run, photos):
    """Without a service every photo fails with the address and the way to start one."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"

        ended = run("diagnose", photos[0], "--url", url)

    assert ended.exit_code == 1
    assert f"No Darkroom answers at {url}. `darkroom up` starts one." in ended.stderr
    assert "Traceback" not in ended.output


@pytest.mark.parametrize("words", [["up"], ["scale", "tone=2"]])
def test_bare_install_says_what_the_cluster_needs(run, monkeypatch, words):
    """Where only the client is installed, the commands of the cluster name the missing extras."""
    monkeypatch.setitem(sys.modules, "darkroom.cluster.servers", None)

    ended = run(*words)

    assert ended.exit_code == 1
    assert "pip install 'darkroom[serve,gateway]'" in ended.stderr
