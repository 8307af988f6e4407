import cv2
import numpy as np
import pytest

from darkroom.imaging.neighbours import PATCH_PX, sum_differences, survey


def some_patches(levels: list[int] | int) -> np.ndarray:
    shape = (3, PATCH_PX, PATCH_PX, 3)
    return np.random.default_rng(0).choice(levels, shape).astype(np.uint8)


def differences_along_rows(plane: np.ndarray) -> list[int]:
    """Plain formulas for the eleven numbers of luma in one direction."""
    steps = {lag: np.abs(plane[:, lag:] - plane[:, :-lag]) for lag in (1, 2, 4, 8)}
    near, far = steps[1], steps[4]
    powers = [[(step**power).sum() for power in (1, 2, 4)] for step in (near, far)]
    grid = [near[:, 7::8].sum(), near[:, 3::8].sum()]
    bends = np.abs(np.diff(plane, 2)).sum()
    return [*powers[0], *grid, steps[2].sum(), *powers[1], steps[8].sum(), bends]


@pytest.mark.parametrize("levels", [256, [0, 255], [3, 4, 251, 252]])
def test_compiled_sums_are_those_of_plain_numpy(levels):
    """Exactly, with the largest steps that there are and at the limits of what is clipped."""
    patches = some_patches(levels)
    sums = np.zeros((len(patches), 32), np.int64)

    sum_differences(patches, sums)

    for own, patch in zip(sums, patches.astype(np.int64), strict=True):
        luma, *chroma = np.moveaxis(patch, 2, 0)
        diagonal = np.abs(np.diff(np.diff(luma, axis=0)))
        expected = [*differences_along_rows(luma), *differences_along_rows(luma.T)]
        expected += [diagonal[7::8, 7::8].sum(), diagonal.sum()]
        expected += [np.abs(p[:, lag:] - p[:, :-lag]).sum() for p in chroma for lag in (1, 2, 8)]
        expected += [luma.sum(), ((luma < 4) | (luma > 251)).sum()]
        assert own.tolist() == expected


@pytest.mark.parametrize("turned", [False, True])
def test_survey_sees_crests_and_levels_of_every_fourth_row(turned):
    """As OpenCV's filter and numpy's slices do, of read-only pixels in any order, too."""
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    pixels = np.asfortranarray(pixels)[:, ::-1] if turned else pixels
    pixels.setflags(write=False)
    corners = [(0, 0), (8, 48), (26, 56)]
    detail = np.zeros(len(corners), np.int64)
    sampled = np.zeros((len(corners), 256), np.float32)

    survey(pixels, np.asarray(corners), detail, sampled)

    for index, (top, left) in enumerate(corners):
        rows = np.ascontiguousarray(pixels[top : top + 64 : 4, left : left + 64, 1])
        crests = cv2.filter2D(rows, cv2.CV_8U, np.asarray([[-1, 2, -1]], np.float32))
        assert detail[index] == crests.sum()
        assert sampled[index].tolist() == rows[:, ::4].ravel().tolist()
