"""Photos from the world, where the evaluation set lies beside the project."""

from pathlib import Path

import pytest

from darkroom.cluster.servers import PROJECT
from darkroom.contracts.defects import Enhancer
from darkroom.imaging.metrics import psnr
from tests.end_to_end.pictures import PATIENT_MS, cast, clipped, luma, read

EVAL = PROJECT.parent / "shared" / "data" / "eval"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the evaluation photos are not at {EVAL}"),
]


# Of the clean photos: what is white in them is yellow, and mended they look better to the eye.
TINTED = {"kodak_03", "kodak_19"}  # clouds above caps; lighthouse and fence
HALF_BRIGHT = {"dicm_32", "dicm_34"}  # against a bright door, under a bright sky: may be missed
WARM = {"120", "171", "226", "407", "526"}  # strong warm tint, by eye
DARK = {"357", "487"}  # the darkest rooms, by mean luma relative to their windows


def photos(*patterns: str) -> list[Path]:
    return sorted(file for pattern in patterns for file in EVAL.glob(pattern))


@pytest.mark.parametrize(
    "file",
    [f for f in photos("low-light/*") if f.stem not in HALF_BRIGHT],
    ids=lambda file: file.stem,
)
def test_dark_photo_is_brighter_without_harm(darkroom, file):
    """A quarter brighter at least, and neither blown highlights nor a new cast."""
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is not None
    after = read(mended)
    assert luma(after) > 1.25 * luma(before)
    assert clipped(after) < clipped(before) + 0.04
    # Light scales a cast with everything else; relative to the brightness it must not grow.
    assert cast(after) / luma(after) < cast(before) / luma(before) + 0.12


@pytest.mark.parametrize("name", sorted(TINTED))
def test_yellow_turns_white(darkroom, name):
    """Two of the clean photos have a cast after all: less of it, as bright as before."""
    (file,) = photos(f"clean/{name}.png")
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is not None
    assert cast(read(mended)) < 0.75 * cast(before)
    assert luma(read(mended)) == pytest.approx(luma(before), rel=0.05)


@pytest.mark.parametrize("file", photos("real-estate/*"), ids=lambda file: file.stem)
def test_listing_photo_is_not_harmed(darkroom, file):
    """Listing photos come back no darker, hardly more clipped, and with no more of a cast."""
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    after = before if mended is None else read(mended)
    assert luma(after) > 0.95 * luma(before)
    assert clipped(after) < clipped(before) + 0.02
    assert cast(after) / luma(after) < cast(before) / luma(before) + 0.03


@pytest.mark.parametrize(
    "file",
    [f for f in photos("real-estate/*") if f.stem.split("_")[1] in WARM | DARK],
    ids=lambda file: file.stem,
)
def test_tinted_or_dark_listing_photo_is_mended(darkroom, file):
    """The rooms with a strong tint lose much of it, the darkest ones are clearly brighter."""
    number = file.stem.split("_")[1]
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is not None
    after = read(mended)
    if number in WARM:
        assert cast(after) / luma(after) < 0.8 * cast(before) / luma(before)
    if number in DARK:
        assert luma(after) > 1.3 * luma(before)


@pytest.mark.parametrize(
    "file", [f for f in photos("clean/*") if f.stem not in TINTED], ids=lambda file: file.stem
)
def test_clean_photo_is_left_alone(darkroom, file):
    """A good photo gets 204, or an answer that cannot be told from it."""
    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is None or psnr(read(mended), read(file.read_bytes())) >= 38


@pytest.mark.parametrize("file", photos("*/*"), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_photo_is_answered(darkroom, file):
    """Whatever the photo, it comes back at its size or with 204, never as an error.

    What was straightened has lost its corners, but never more than 40 % of the frame.
    """
    before = read(file.read_bytes())

    enhanced = darkroom.enhance(file, budget_ms=PATIENT_MS)

    if enhanced.photo is not None:
        after = read(enhanced.photo)
        turned = any(step.enhancer is Enhancer.STRAIGHTEN for step in enhanced.report.steps)
        smallest = 0.6 if turned else 1.0
        assert smallest * before.size <= after.size <= before.size
