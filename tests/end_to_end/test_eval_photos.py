"""Photos from the world, where the evaluation set lies beside the project."""

from pathlib import Path

import pytest

from darkroom.cluster.servers import PROJECT
from darkroom.imaging.metrics import psnr
from tests.end_to_end.pictures import PATIENT_MS, cast, clipped, luma, read

EVAL = PROJECT.parent / "shared" / "data" / "eval"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the evaluation photos are not at {EVAL}"),
]


def photos(*patterns: str) -> list[Path]:
    return sorted(file for pattern in patterns for file in EVAL.glob(pattern))


@pytest.mark.parametrize("file", photos("low-light/*"), ids=lambda file: file.stem)
def test_dark_photo_is_brighter_without_harm(darkroom, file):
    """A quarter brighter at least, and neither blown highlights nor a new cast."""
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is not None
    after = read(mended)
    assert luma(after) > 1.25 * luma(before)
    assert clipped(after) < clipped(before) + 0.02
    # Light scales a cast with everything else; relative to the brightness it must not grow.
    assert cast(after) / luma(after) < cast(before) / luma(before) + 0.1


@pytest.mark.parametrize("file", photos("clean/*"), ids=lambda file: file.stem)
def test_clean_photo_is_left_alone(darkroom, file):
    """A good photo gets 204, or an answer that cannot be told from it."""
    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is None or psnr(read(mended), read(file.read_bytes())) >= 38


@pytest.mark.parametrize("file", photos("*/*"), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_photo_is_answered(darkroom, file):
    """Whatever the photo, it comes back at its size or with 204, never as an error."""
    before = read(file.read_bytes())

    mended = darkroom.enhance(file, budget_ms=PATIENT_MS).photo

    assert mended is None or sorted(read(mended).shape) == sorted(before.shape)
