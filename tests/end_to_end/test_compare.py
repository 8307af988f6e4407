"""The vote in a real browser, against the real cluster: from two folders to thanks and a report.

Needs what `test_page.py` needs; saves its screenshots where that does.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from darkroom.cli import app
from tests.end_to_end.browsing import (
    AXE,
    NARROW,
    PAGE_TESTS,
    browser,
    expect_no_violations,
    keep_picture,
    opened,
    sync_api,
)
from tests.end_to_end.pictures import darken
from tests.photos import load_photo, to_bytes

__all__ = ["browser", "opened"]  # fixtures, known by their names

pytestmark = PAGE_TESTS

PHONE = {"viewport": NARROW, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}
BETTER_A, SAME, BETTER_B = "A is better", "No difference", "B is better"

Votes = Callable[..., str]


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three photos as one model and as another would hand them back."""
    folder = tmp_path_factory.mktemp("variants")
    for variant, stops in (("old", 1.2), ("new", 0.0)):
        (folder / variant).mkdir()
        for name in ("coffee", "chelsea", "rocket"):
            picture = darken(load_photo(name), stops)
            (folder / variant / f"{name}.jpg").write_bytes(to_bytes(picture))
    return [str(folder / "old"), str(folder / "new")]


@pytest.fixture
def votes(cluster, tmp_path, monkeypatch) -> Votes:
    """`darkroom votes …`; in a thread, for the browser has a loop running in this one."""
    monkeypatch.setenv("DARKROOM_URL", cluster.url)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def run(*words: str) -> str:
        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(CliRunner().invoke, app, ["votes", *words]).result()
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    return run


@pytest.fixture
def vote(votes, variants, request) -> Iterator[str]:
    """The name of an open vote that nobody has judged; HTML, for names are text."""
    name = f"<b>{request.node.name}"[:80]
    assert f"/compare?vote={quote(name, safe='')}" in votes("new", name, *variants)
    yield name
    votes("delete", name)


def page_of(vote: str) -> str:
    return f"/compare?vote={quote(vote, safe='')}"


def expect_pair(page: "sync_api.Page", number: int) -> None:
    """The pair is shown, and so it is told to those who cannot see it."""
    sync_api.expect(page.get_by_role("status")).to_contain_text(f"Pair {number} of 3")
    sync_api.expect(page.locator(".side img")).to_have_count(2)


def test_vote_goes_by_keyboard_from_the_first_pair_to_thanks(opened, votes, vote, tmp_path):
    """Three keys, one of them taken back and changed; the report counts what was pressed last."""
    page = opened(page_of(vote))
    expect_pair(page, 1)

    page.keyboard.press("ArrowLeft")
    expect_pair(page, 2)
    page.keyboard.press("Backspace")
    expect_pair(page, 1)
    answer = page.get_by_role("button", name=BETTER_A)
    sync_api.expect(answer).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect_pair(page, 2)
    page.keyboard.press("Space")
    expect_pair(page, 3)
    sync_api.expect(page.get_by_role("progressbar")).to_have_attribute("value", "2")
    page.keyboard.press("ArrowRight")

    sync_api.expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    votes("report", vote, "--out", str(tmp_path / "report"))
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (report["ballots"], report["no_difference"]) == (3, 1)
    assert (report["sides"]["left"], report["sides"]["right"]) == (0, 2)


def test_voter_who_comes_back_goes_on(opened, vote):
    """After a reload the judged pair is judged, and the sides of the next are the same."""
    page = opened(page_of(vote))
    expect_pair(page, 1)
    page.get_by_role("button", name=SAME).click()
    expect_pair(page, 2)
    shown = page.locator(".ballot-head p").inner_text()

    page.reload()

    expect_pair(page, 2)
    assert page.locator(".ballot-head p").inner_text() == shown
    assert vote in shown  # as text, its <b> included


def test_what_was_not_saved_is_said_and_sent_again(opened, vote):
    """Without a connection the pair stays; with one, trying again goes on from there."""
    page = opened(page_of(vote))
    expect_pair(page, 1)
    page.context.set_offline(True)

    page.keyboard.press("ArrowLeft")
    sync_api.expect(page.get_by_role("alert")).to_contain_text("no connection")
    expect_pair(page, 1)
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()

    expect_pair(page, 2)
    sync_api.expect(page.get_by_role("alert")).to_have_count(0)


def test_versions_are_looked_at_closely_together(opened, vote):
    """A click enlarges both at the same place; another shows them whole again."""
    page = opened(page_of(vote))
    expect_pair(page, 1)

    page.locator(".side").first.click(position={"x": 100, "y": 100})
    styles = [img.get_attribute("style") for img in page.locator(".side img").all()]
    assert "scale(" in styles[0]
    assert styles[0] == styles[1]

    page.keyboard.press("z")
    assert not page.locator(".side img").first.get_attribute("style")


def test_name_nobody_has_given_a_vote_says_what_to_do(opened):
    """With a way to the votes there are."""
    page = opened("/compare?vote=nowhere")

    sync_api.expect(page.get_by_role("alert")).to_contain_text("no open vote of this name")
    sync_api.expect(page.get_by_role("link", name="Other votes")).to_be_visible()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("wide-light", {}),
        ("narrow-dark", PHONE),
    ],
)
def test_everybody_can_vote(opened, vote, name, options):
    """No violation for axe in the list, at a pair, at the end; nothing sticks out anywhere."""
    page = opened("/compare", **options)
    page.get_by_role("link", name=vote).wait_for()
    inspect(page, f"vote-{name}-list")

    page.get_by_role("link", name=vote).click()
    expect_pair(page, 1)
    inspect(page, f"vote-{name}-pair")
    for number, answer in enumerate((BETTER_B, SAME, BETTER_A), 1):
        expect_pair(page, number)
        page.get_by_role("button", name=answer).click()

    page.get_by_role("heading", name="Thank you!").wait_for()
    inspect(page, f"vote-{name}-thanks")


def inspect(page: "sync_api.Page", name: str) -> None:
    expect_no_violations(page)
    # The window's own width would grow with what sticks out on a phone.
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    keep_picture(page, name)
