"""The page in a real browser, against the real cluster: what a person sees and takes home.

Needs playwright, a Chromium (its path in CHROMIUM, or found on the path) and the built page; skips
without. With SCREENSHOTS set to a folder, it saves there what the page looked like.
"""

import io
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.browsing import (
    AXE,
    DONE_MS,
    NARROW,
    PAGE_TESTS,
    WEB,
    browser,
    expect_no_violations,
    keep_picture,
    opened,
    sync_api,
)
from tests.end_to_end.pictures import PATIENT_MS, darken, read
from tests.end_to_end.running import RunningCluster
from tests.photos import load_photo, to_bytes

__all__ = ["browser", "opened"]  # fixtures, known by their names

pytestmark = PAGE_TESTS


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three photos: one much too dark, one tinted, one as it was taken."""
    folder = tmp_path_factory.mktemp("photos")
    tinted = np.clip(load_photo("chelsea") * np.array((1.25, 1.0, 0.55)), 0, 255).astype(np.uint8)
    pictures = {
        "dark.jpg": to_bytes(darken(load_photo("coffee"), 3)),
        "tinted.png": to_bytes(tinted, "png"),
        "rocket.jpg": to_bytes(load_photo("rocket")),
    }
    for name, payload in pictures.items():
        (folder / name).write_bytes(payload)
    return [folder / name for name in pictures]


def add(page: "sync_api.Page", photos: list[Path]) -> None:
    """Choose photos and wait until something has become of each."""
    page.set_input_files("input[type=file]", [str(photo) for photo in photos])
    page.locator(".frame").nth(len(photos) - 1).wait_for()
    sync_api.expect(page.locator(".badge.busy")).to_have_count(0, timeout=DONE_MS)


# What the browser has kept: phase and exposure of each photo, in their order.
KEPT = """() => new Promise((done) => {
    const opening = indexedDB.open("darkroom");
    opening.onsuccess = () => {
        const rows = opening.result.transaction("photos").objectStore("photos").getAll();
        rows.onsuccess = () => {
            opening.result.close();
            const photos = rows.result.sort((a, b) => a.addedAt - b.addedAt);
            done(photos.map(({ phase, adjustments }) => [phase, adjustments.exposure]));
        };
    };
})"""


def wait_until(page: "sync_api.Page", holds: Callable[[], bool]) -> None:
    """What happens behind the page may be later than what it shows."""
    deadline = time.monotonic() + DONE_MS / 1000
    while not holds():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def downloaded(page: "sync_api.Page", name: str) -> bytes:
    with page.expect_download() as downloading:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(downloading.value.path()).read_bytes()


def answered(cluster: RunningCluster, path: str, photo: bytes, **options: float) -> bytes:
    """What the service answers to the same request without a browser; nothing for 204."""
    query = urllib.parse.urlencode({**options, "budget_ms": PATIENT_MS})
    request = urllib.request.Request(f"{cluster.url}{path}?{query}", photo)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return bytes(reply.read())


def test_each_photo_shows_what_became_of_it(opened, photos):
    """Three photos are looked at and mended; the dark one says so in words, chips and picture."""
    page = opened()
    page.evaluate(
        """() => {
            window.seen = new Set();
            new MutationObserver(() => document.querySelectorAll('.frame-phase')
                .forEach((phase) => window.seen.add(phase.textContent)))
                .observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )

    add(page, photos)

    seen = set(page.evaluate("[...window.seen]"))
    assert {"Waiting", "Looking…", "Enhancing…", "Enhanced"} <= seen
    assert page.locator(".chips").get_by_text("Too dark").is_visible()
    assert page.get_by_text("Brightened", exact=False).first.is_visible()
    keep_picture(page, "wide-light")


def test_download_is_what_the_service_answers(opened, photos, cluster):
    """The bytes of the download are those of `/enhance_image`."""
    page = opened()
    add(page, photos[:1])

    expected = answered(cluster, "/enhance_image", photos[0].read_bytes(), strength=1)
    assert downloaded(page, "Download") == expected


def test_sliders_preview_what_the_service_does(opened, photos, cluster):
    """Exposure and warmth: the canvas shows at once what `/adjust` gives, within a few levels."""
    page = opened()
    add(page, photos[2:])
    page.get_by_role("slider", name="Exposure").fill("0.8")
    page.get_by_role("slider", name="Warmth").fill("0.5")
    divider = page.get_by_role("slider", name="Divider between before and after")
    divider.press("Home")  # all of it after
    page.wait_for_timeout(500)
    shown = read(page.locator(".stage canvas").screenshot())
    saved = downloaded(page, "Download")

    original = photos[2].read_bytes()
    mended = answered(cluster, "/enhance_image", original, strength=1) or original
    assert saved == answered(cluster, "/adjust", mended, exposure=0.8, warmth=0.5)
    turned = read(saved)
    assert turned.mean() > read(mended).mean() + 15
    height, width = shown.shape[:2]
    middle = shown[height // 2 - 100 : height // 2 + 100, width // 2 - 200 : width // 2 + 200]
    with Image.fromarray(turned) as image:
        scale = _shown_scale(page)
        size = (round(image.width * scale), round(image.height * scale))
        resized = np.asarray(image.resize(size))
    y, x = resized.shape[0] // 2, resized.shape[1] // 2
    expected = resized[y - 100 : y + 100, x - 200 : x + 200]
    assert np.abs(middle.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max() < 4


def _shown_scale(page: "sync_api.Page") -> float:
    return float(page.locator(".zoom-value").inner_text().split()[-2]) / 100


def test_divider_goes_by_keyboard_and_mouse(opened, photos):
    """Arrows move it in steps, a click on the photo moves it there."""
    page = opened()
    add(page, photos[:1])
    divider = page.get_by_role("slider", name="Divider between before and after")

    divider.press("ArrowLeft")
    assert divider.get_attribute("aria-valuenow") == "48"
    box = page.locator(".stage").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
    assert int(divider.get_attribute("aria-valuenow") or 0) > 60


def test_strength_is_asked_of_the_service(opened, photos, cluster):
    """Weakened, the photo is asked for again with that strength."""
    page = opened()
    add(page, photos[:1])

    with page.expect_response(lambda reply: "strength=0.5" in reply.url):
        page.get_by_role("slider", name="Strength").fill("0.5")
    sync_api.expect(page.locator(".badge.busy")).to_have_count(0, timeout=DONE_MS)

    expected = answered(cluster, "/enhance_image", photos[0].read_bytes(), strength=0.5)
    assert downloaded(page, "Download") == expected


def test_all_photos_come_as_one_archive(opened, photos):
    """The .zip opens elsewhere; what needed no mending is in it as it came."""
    page = opened()
    add(page, photos)

    with zipfile.ZipFile(io.BytesIO(downloaded(page, "Download all (3)"))) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            "dark-darkroom.jpg",
            "tinted-darkroom.png",
            "rocket-darkroom.jpg",
        }


def test_many_photos_wait_in_the_queue(opened, tmp_path):
    """Over a dozen: some go as jobs, whose statuses come as events; all are done in the end."""
    shades = [darken(load_photo("coffee")[::4, ::4], 2 + n / 10) for n in range(15)]
    for number, shade in enumerate(shades):
        (tmp_path / f"{number}.jpg").write_bytes(to_bytes(shade))
    page = opened()
    taken: list[str] = []
    page.on("request", lambda request: taken.append(f"{request.method} {request.url}"))

    add(page, sorted(tmp_path.iterdir()))

    assert page.locator('.frame-phase[data-phase="ready"]').count() == 15
    posted = [line for line in taken if line.startswith("POST") and line.endswith("/api/images")]
    assert posted
    # A job is deleted only once the browser has kept what came of it.
    wait_until(page, lambda: sum(line.startswith("DELETE") for line in taken) == len(posted))


def test_photos_are_there_again_after_a_reload(opened, photos):
    """With their results, the sliders and the choice; the service is not asked to mend again."""
    page = opened()
    add(page, photos)
    page.locator(".frame").nth(1).click()
    page.get_by_role("slider", name="Exposure").fill("0.8")
    saved = downloaded(page, "Download")
    wait_until(page, lambda: page.evaluate(KEPT) == [["ready", 0], ["ready", 0.8], ["ready", 0]])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload()

    page.locator(".frame").nth(2).wait_for()
    assert page.get_by_role("heading", name="tinted.png").is_visible()
    assert page.get_by_role("slider", name="Exposure").input_value() == "0.8"
    assert downloaded(page, "Download") == saved
    assert not [url for url in asked if "/enhance_image" in url or "/diagnose" in url]
    keep_picture(page, "wide-after-a-reload")


def test_tabs_of_a_browser_share_their_photos(opened, photos, cluster):
    """A second tab shows what the first has; what is removed in one goes from both."""
    first = opened()
    add(first, photos[:1])
    wait_until(first, lambda: first.evaluate(KEPT) == [["ready", 0]])

    second = first.context.new_page()
    second.goto(cluster.url)
    second.locator('.frame-phase[data-phase="ready"]').wait_for(timeout=DONE_MS)
    second.get_by_role("button", name="Remove dark.jpg").dispatch_event("click")

    sync_api.expect(first.locator(".frame")).to_have_count(0)
    assert first.get_by_text("Choose photos").is_visible()


def test_what_is_no_photo_says_what_to_do(opened, photos, tmp_path):
    """Text renamed `.jpg`: its own failure, in words; the photo beside it is mended."""
    page, text = opened(), tmp_path / "notes <b>.jpg"
    text.write_text("no picture")
    add(page, [photos[0], text])

    page.locator(".frame").nth(1).click()

    assert "not a JPEG, PNG or WebP" in page.get_by_role("alert").inner_text()
    assert page.get_by_role("heading", name="notes <b>.jpg").is_visible()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("wide-dark", {"color_scheme": "dark"}),
        ("narrow-light", {"viewport": NARROW, "is_mobile": True, "has_touch": True}),
        (
            "narrow-dark-russian",
            {"viewport": NARROW, "is_mobile": True, "color_scheme": "dark", "locale": "ru-RU"},
        ),
    ],
)
def test_everybody_can_use_it(opened, photos, name, options):
    """No violation for axe, empty or at work; nothing sticks out at a phone's width."""
    page = opened(**options)
    for _ in range(2):
        expect_no_violations(page)
        keep_picture(page, f"{name}-{page.locator('.frame').count()}")
        if page.locator(".frame").count() == 0:
            add(page, photos)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_page_is_light(cluster):
    """All that a first visit loads, fonts of one alphabet included: at most 150 KiB."""
    request = urllib.request.Request(cluster.url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as reply:
        assert reply.headers["Content-Encoding"] == "gzip"
    sent = 0
    for file in (WEB / "dist" / "assets").iterdir():
        asked = urllib.request.Request(
            f"{cluster.url}/assets/{file.name}", headers={"Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(asked) as reply:
            sent += len(reply.read())

    assert sent <= 150 << 10
