import cv2
import numpy as np
import pytest

from darkroom.imaging.counting import count_chroma, count_directions, count_tints, keep_strong

LOGARITHM = np.log(np.arange(511, dtype=np.float32) + 4)
BANDS = (np.arange(256) // 64).astype(np.int32)


@pytest.fixture(params=["noise", "grey", "saturated", "smooth"])
def pixels(request) -> np.ndarray:
    """(32, 44, 3)."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (32, 44, 3), dtype=np.uint8)
    smooth = cv2.resize(noise[:5, :4], (44, 32), interpolation=cv2.INTER_CUBIC)
    kinds = {
        "noise": noise,
        "grey": noise[..., :1].repeat(3, axis=2),
        "saturated": rng.choice([0, 255], (32, 44, 3)).astype(np.uint8),
        "smooth": np.asarray(smooth, np.uint8),
    }
    return kinds[request.param]


def tints(levels: np.ndarray) -> np.ndarray:
    """log(R/G) and log(B/G) of (…, 3): (2, N) float32."""
    red, green, blue = LOGARITHM[levels.reshape(-1, 3).T]
    return np.stack([red - green, blue - green])


def cells(levels: np.ndarray, side: int, last: float) -> np.ndarray:
    places = np.clip((tints(levels) + 1) * np.float32(side / 2), 0, last).astype(int)
    return places[0] * side + places[1]


def test_tints_are_counted_and_added_up_as_by_numpy(pixels):
    """To the bit: sums of fractions are made in the pixels' order."""
    counts, histogram, sums = np.zeros(4, np.int64), np.zeros((12, 12), np.int64), np.zeros((2, 4))

    count_tints(pixels, LOGARITHM, BANDS, counts, histogram, sums)

    bands = BANDS[pixels.max(axis=2)].ravel()
    assert counts.tolist() == np.bincount(bands, minlength=4).tolist()
    for own, tint in zip(sums, tints(pixels), strict=True):
        assert own.tolist() == np.bincount(bands, tint, 4).tolist()
    expected = np.bincount(cells(pixels, 12, 11.9), minlength=144)
    assert histogram.ravel().tolist() == expected.tolist()


def test_chroma_is_counted_as_by_numpy(pixels):
    """Pixels in the plane of their brightness, steps in the last, each as often as it is strong."""
    counts = np.zeros((5, 40, 40), np.int64)

    count_chroma(pixels, LOGARITHM, BANDS, counts)

    places = BANDS[pixels.max(axis=2)].ravel() * 1600 + cells(pixels, 40, 39.99)
    assert counts[:4].ravel().tolist() == np.bincount(places, minlength=6400).tolist()
    levels = pixels.astype(int)
    across = np.abs(levels[1:-1:2, 2:] - levels[1:-1:2, :-2])
    steps = across + np.abs(levels[2::2, 1:-1] - levels[:-2:2, 1:-1])
    strengths = np.bincount(cells(steps, 40, 39.99), steps.sum(axis=2).ravel(), 1600)
    assert counts[4].ravel().tolist() == strengths.tolist()


def test_strong_gradients_are_kept_in_order():
    """All three numbers of each, row by row; what is as strong as the faintest is left out."""
    rng = np.random.default_rng(0)
    across, down = rng.normal(size=(2, 8, 11)).astype(np.float32)
    strength = rng.integers(0, 5, (8, 11)).astype(np.float32)
    kept = np.zeros((3, 88), np.float32)

    count = keep_strong(across, down, strength, 2.0, kept)

    expected = np.stack([across, down, strength])[:, strength > 2]
    assert count == expected.shape[1]
    assert np.array_equal(kept[:, :count], expected)


def test_directions_are_added_up_as_by_numpy():
    """Either sense counts, within 20° of upright and of level, by the root of the strength."""
    rng = np.random.default_rng(0)
    degrees = np.concatenate([rng.uniform(0, 360, 2000), np.arange(0, 361, 10)]).astype(np.float32)
    strength = rng.uniform(0, 900, degrees.size).astype(np.float32)
    sums = np.zeros((2, 40))

    count_directions(degrees, strength, sums)

    turned = (degrees + 20) % 180
    bins = turned % 90
    seen = bins < 40
    expected = np.bincount(
        (bins + 40 * (turned >= 90))[seen].astype(int), np.sqrt(strength)[seen], 80
    )
    assert sums.ravel().tolist() == expected.tolist()
