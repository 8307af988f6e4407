"""Colours through the real cluster: asked for directly, as a job and from the page; odd scans."""

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom import Darkroom
from darkroom.contracts.errors import (
    TooManyPixels,
    UnknownOption,
    UnreadablePhoto,
    UnsupportedPhoto,
)
from darkroom.contracts.jobs import Job
from darkroom.imaging.chroma import luma_of
from darkroom.imaging.metrics import colourfulness
from darkroom.jobs import AsyncJobs
from tests.end_to_end.pictures import PATIENT_MS, read
from tests.imaging.forge import png_of_one_colour
from tests.photos import load_photo, to_bytes

pytestmark = pytest.mark.stack

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
PAGE = Path(__file__).parents[2] / "web" / "dist" / "index.html"
COLOURED = 8.0  # colourfulness that nobody takes for grey; of the truth here it is 38
ENDED_WITHIN_S = 180  # bounds a hang on a busy machine


def a_grey_photo() -> Image.Image:
    """A cup of coffee on a wooden table, 600×400, one channel."""
    return Image.fromarray(luma_of(load_photo("coffee")))


def test_grey_photo_comes_back_in_colour(darkroom):
    """Warm as wood is, its light to one level what it was; the report names model and size."""
    grey = a_grey_photo()

    answer = darkroom.colorize(to_bytes(grey, "png"), budget_ms=PATIENT_MS)

    coloured = read(answer.photo)
    assert colourfulness(coloured) > COLOURED
    assert coloured[..., 0].mean() > coloured[..., 2].mean() + 5
    assert np.abs(luma_of(coloured).astype(int) - np.asarray(grey)).max() <= 1
    notes = answer.report.colorized.by.notes
    assert (notes["model"], "recoloured" in notes) == ("lite", False)


def test_grey_photo_gets_colours_as_a_job(cluster, tmp_path):
    """Handed over with operation=colorize it completes; `colorizedUrl` is where the result is."""
    photo = tmp_path / "attic.jpg"
    photo.write_bytes(to_bytes(a_grey_photo()))

    job, result = asyncio.run(_coloured_later(cluster.url, photo))

    assert (job.status, job.changed, job.error) == ("completed", True, None)
    assert job.colorized_url == job.result_url == f"/api/images/{job.id}/result"
    assert read(result).shape == (400, 600, 3)
    assert colourfulness(read(result)) > COLOURED


async def _coloured_later(url: str, photo: Path) -> tuple[Job, bytes]:
    async with AsyncJobs(url, session="of-a-test-of-colours") as jobs:
        taken = await jobs.submit(photo, "colorize", {"model": "lite", "render_factor": 10})
        async with asyncio.timeout(ENDED_WITHIN_S):
            ended = await jobs.ended(taken)
        result = await jobs.result(ended)
        await jobs.delete(ended.id)
    return ended, result


_RAMP = np.arange(300) % 251
SCANS = {
    "1 pixel high": Image.fromarray(_RAMP[None].astype(np.uint8)),
    "1 pixel wide": Image.fromarray(_RAMP[:, None].astype(np.uint8)),
    "black": Image.new("L", (80, 60), 0),
    "white": Image.new("L", (80, 60), 255),
    "16 bits": Image.fromarray(np.asarray(a_grey_photo())[:60, :80] * np.uint16(257)),
    "1 bit": a_grey_photo().resize((80, 60)).convert("1"),
}


@pytest.mark.parametrize("name", SCANS)
def test_odd_scan_comes_back_at_its_size(darkroom, name):
    """Whatever a scanner makes is a photo; its light stays, and what has no drawing stays grey."""
    scan = SCANS[name]

    photo = darkroom.colorize(to_bytes(scan, "png"), budget_ms=PATIENT_MS).photo

    sixteen = scan.mode.startswith("I")
    luma = np.asarray(scan) / 257 if sixteen else np.asarray(scan.convert("L"))
    assert np.abs(luma_of(read(photo)) - luma.astype(float)).max() <= 1.5


REFUSED = {
    "render factor 6": (to_bytes(a_grey_photo()), {"render_factor": 6}, UnknownOption),
    "render factor 46": (to_bytes(a_grey_photo()), {"render_factor": 46}, UnknownOption),
    "strength 2": (to_bytes(a_grey_photo()), {"strength": 2.0}, UnknownOption),
    "unknown model": (to_bytes(a_grey_photo()), {"model": "video"}, UnknownOption),
    "81 megapixels": (png_of_one_colour(9000, 9000), {}, TooManyPixels),
    "half a scan": (to_bytes(a_grey_photo(), "png")[:20_000], {}, UnreadablePhoto),
    "text": (b"this is no picture", {}, UnsupportedPhoto),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_coloured_is_refused(darkroom: Darkroom, name):
    """A code that says why, and the next photo is coloured."""
    photo, options, error = REFUSED[name]

    with pytest.raises(error) as raised:
        darkroom.colorize(photo, budget_ms=PATIENT_MS, **options)

    assert raised.type is error
    assert darkroom.colorize(to_bytes(a_grey_photo()), budget_ms=PATIENT_MS).photo


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.skipif(not PAGE.is_file(), reason="`make page` first")
def test_page_offers_colours_for_a_grey_photo(cluster, darkroom, tmp_path):
    """The page sees that a photo is grey; one click later its download is the coloured photo."""
    sync_api = pytest.importorskip("playwright.sync_api")
    photo = tmp_path / "attic.png"
    photo.write_bytes(to_bytes(a_grey_photo(), "png"))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(locale="en-GB")
        page.set_default_timeout(1000 * ENDED_WITHIN_S)
        page.goto(cluster.url)
        page.set_input_files("input[type=file]", [str(photo)])
        page.get_by_role("button", name="Give it colour").click()
        page.locator('.frame-phase[data-phase="ready"]').wait_for()
        with page.expect_download() as downloading:
            page.get_by_role("button", name="Download").click()
        downloaded = Path(downloading.value.path()).read_bytes()
        browser.close()

    assert colourfulness(read(downloaded)) > COLOURED
    asked = {"model": "lite", "strength": 1.0, "budget_ms": PATIENT_MS}
    assert np.array_equal(read(downloaded), read(darkroom.colorize(photo, **asked).photo))
