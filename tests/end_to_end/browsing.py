"""A real browser for tests, and what it needs: a Chromium and the built page; skips without."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.pictures import PATIENT_MS
from tests.end_to_end.running import RunningCluster

sync_api = pytest.importorskip("playwright.sync_api")

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
DONE_MS = 180_000  # bounds a hang on a busy machine
sync_api.expect.set_options(timeout=DONE_MS)
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

PAGE_TESTS = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="`make page` first"),
]

Opened = Callable[..., "sync_api.Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: "sync_api.Browser", cluster: RunningCluster) -> Iterator[Opened]:
    """Opens the page in a window of its own; whatever a script throws fails the test."""
    faults: list[str] = []
    contexts = []

    def open_page(path: str = "/", **options: object) -> "sync_api.Page":
        given = {"viewport": WIDE, "reduced_motion": "reduce", "locale": "en-GB"}
        contexts.append(browser.new_context(**(given | options)))
        page = contexts[-1].new_page()
        page.set_default_timeout(DONE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: _note_violation(message.text, faults))
        page.route(_TIMED, _give_time)
        page.goto(cluster.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


_TIMED = re.compile(r"/(diagnose|enhance_image)\?")


def _give_time(route: "sync_api.Route") -> None:
    """None of this is about time, and the machine may be busy."""
    route.continue_(url=f"{route.request.url}&budget_ms={PATIENT_MS}")


def _note_violation(text: str, faults: list[str]) -> None:
    if "Content Security Policy" in text:
        faults.append(text)


def keep_picture(page: "sync_api.Page", name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def expect_no_violations(page: "sync_api.Page") -> None:
    """Let axe look at the page as it is, once it has been drawn."""
    page.get_by_role("main").wait_for()
    page.evaluate(AXE.read_text())
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    assert not violations, json.dumps(violations, indent=1)
