"""What a network sees of a photo: a thumbnail, the texture of a few patches, and evidence.

Light, colour, haze and tilt show on a thumbnail; noise, blur and compression do not: an area resize
averages them away. So patches are looked at in native resolution, whatever the size of the photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.defects import Defect
from darkroom.imaging.counting import count_chroma, count_directions, count_tints, keep_strong
from darkroom.imaging.photo import Photo, Pixels
from darkroom.imaging.resizing import shrink
from darkroom.imaging.texture import cut_patches, texture_of

THUMBNAIL_PX = 192
PERCENTILES = (0.5, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99.5)
STATISTICS = 5 * len(PERCENTILES) + 2
EVIDENCE = 3
COLOURS = 3 * 7 + 12 * 12
CHROMA = (4, 40, 40)
# Of each level; the logarithms of steps across and down, too, which add up to 510.
_CUBE = (np.arange(256, dtype=np.float32) / 255) ** 3
_LOGARITHM = np.log(np.arange(511, dtype=np.float32) + 4)  # 4 keeps black's noise out
_LIGHT = np.searchsorted((70, 150, 251), np.arange(256), side="right").astype(np.int32)
_BAND = np.searchsorted((32, 64, 112, 160, 208, 250), np.arange(256)).astype(np.int32)
TILTS_DEGREES = 20  # lines further from upright or level than this tell nothing about a tilt
LINES = 2 * 2 * TILTS_DEGREES

# Which part of the views shows which defects. The split is strict, so that nothing is learned from
# the noise or blur left on a small photo's thumbnail, which a large photo's does not have.
IN_THUMBNAIL = (
    Defect.LOW_LIGHT,
    Defect.LOW_CONTRAST,
    Defect.POOR_WHITE_BALANCE,
    Defect.HAZY,
    Defect.GLARING,
    Defect.ROTATION,
)
IN_PATCHES = (Defect.BLUR, Defect.NOISY, Defect.JPEG_ARTIFACTS)


@dataclass(frozen=True)
class Views:
    """One photo as the networks see it.

    thumbnail: (192, 192, 3) uint8, the frame squeezed to a square.
    statistics: (57,) float32, see `statistics_of`.
    lines: (80,) float32, see `lines_of`.
    colours: (165,) float32, see `colours_of`.
    chroma: (4, 40, 40) float32, see `chroma_of`.
    texture: (8, 32) float32, see `texture_of`: patches at native resolution, detailed ones first.
    evidence: (3,) float32: 1 if the photo came as a JPEG, then its luma and its chroma table's mean
        step as log2(1 + step) / 8.
    """

    thumbnail: Pixels
    statistics: NDArray[np.float32]
    lines: NDArray[np.float32]
    colours: NDArray[np.float32]
    chroma: NDArray[np.float32]
    texture: NDArray[np.float32]
    evidence: NDArray[np.float32]


def take_views(photo: Photo) -> Views:
    thumbnail = thumbnail_of(photo.pixels)
    return Views(
        thumbnail,
        statistics_of(thumbnail),
        lines_of(thumbnail, photo.pixels.shape[1] / photo.pixels.shape[0]),
        colours_of(thumbnail),
        chroma_of(thumbnail),
        texture_of(cut_patches(photo.pixels)),
        evidence_of(photo.quantisation),
    )


def stack_views(views: Sequence[Views]) -> tuple[np.ndarray, ...]:
    """Batch the arrays, in the order above, which is that of the network's arguments."""
    names = [field.name for field in fields(Views)]
    return tuple(np.stack([getattr(view, name) for view in views]) for name in names)


def thumbnail_of(pixels: Pixels) -> Pixels:
    """Shrink a photo (H, W, 3) to the thumbnail; enlarge one that is smaller.

    Rows are skipped as long as several remain for each row of the thumbnail: at 12 Mpx 3 ms, where
    the exact resize of all pixels costs 60.
    """
    some = pixels[:: max(1, len(pixels) // (4 * THUMBNAIL_PX))]
    return shrink(some, THUMBNAIL_PX, THUMBNAIL_PX)


def statistics_of(thumbnail: Pixels) -> NDArray[np.float32]:
    """Percentiles of R, G, B, the darkest and the brightest channel, in [0, 1], and the cast.

    The cast is log(R/G) and log(B/G) of the shades-of-grey illuminant, Minkowski norm 6 (Finlayson
    and Trezzi 2004, "Shades of gray and colour constancy").
    """
    colours = np.ascontiguousarray(_some_pixels(thumbnail).transpose(2, 0, 1)).reshape(3, -1)
    channels = np.concatenate([colours, colours.min(axis=0)[None], colours.max(axis=0)[None]])
    ranks = (np.asarray(PERCENTILES) / 100 * (colours.shape[1] - 1)).astype(int)
    # Stable means radix sort for 8-bit integers: 20 times faster than the default.
    percentiles = np.sort(channels, axis=1, kind="stable")[:, ranks].astype(np.float32) / 255
    # By OpenCV's look-up, five times as fast as by numpy's indices.
    cubed = cv2.LUT(colours, _CUBE)
    illuminant = cubed * cubed
    light = (illuminant.mean(axis=1) + 1e-6) ** (1 / 6)
    cast = np.log(light[[0, 2]] / light[1])
    return np.concatenate([percentiles.ravel(), cast]).astype(np.float32)


def _some_pixels(thumbnail: Pixels) -> Pixels:
    """A quarter of the pixels (96, 96, 3), which is enough: every other one of every other row."""
    size = (THUMBNAIL_PX // 2, THUMBNAIL_PX // 2)
    # The pixels of thumbnail[::2, ::2], in a fifth of the time that numpy takes to copy them.
    return np.asarray(cv2.resize(thumbnail, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def lines_of(thumbnail: Pixels, aspect: float) -> NDArray[np.float32]:
    """Directions of the edges as a histogram in steps of 1°: a tilted room shows a shifted peak.

    First edges within ±20° of upright, then of level, counter-clockwise first, each weighted by its
    strength; all values together have the mean 1, or are 0 where there is no edge. `aspect` is
    width / height of the photo, since the thumbnail is squeezed to a square.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    across = np.asarray(cv2.Scharr(grey, cv2.CV_32F, 1, 0), np.float32)
    down = cv2.Scharr(grey, cv2.CV_32F, 0, 1) * np.float32(aspect)
    strength = np.asarray(cv2.magnitude(across, down), np.float32)
    kept = np.empty((3, strength.size), np.float32)
    faintest = np.float32(1.3 * cv2.mean(strength)[0])
    count = keep_strong(across, down, strength, faintest, kept)
    histogram = np.zeros(LINES)
    if count:
        degrees = cv2.phase(kept[0, :count], kept[1, :count], angleInDegrees=True)
        count_directions(np.ravel(degrees), kept[2, :count], histogram.reshape(2, -1))
    return np.asarray(histogram * LINES / max(float(histogram.sum()), 1e-6), np.float32)


def evidence_of(quantisation: tuple[NDArray[np.uint16], ...]) -> NDArray[np.float32]:
    if not quantisation:
        return np.zeros(EVIDENCE, np.float32)
    luma, chroma = quantisation[0], quantisation[min(1, len(quantisation) - 1)]
    steps = [np.log2(1 + float(table.mean())) / 8 for table in (luma, chroma)]
    return np.asarray([1, *steps], np.float32)


def colours_of(thumbnail: Pixels) -> NDArray[np.float32]:
    """Where the colours lie: of a tint they move together, of coloured things they spread.

    (165,) float32: for each of 7 bands of brightness its share of the pixels and the mean log(R/G)
    and log(B/G) there; then a histogram of both, 12×12 over ±1, as square roots of shares.
    """
    counts, histogram, sums = np.zeros(7, np.int64), np.zeros((12, 12), np.int64), np.zeros((2, 7))
    count_tints(_some_pixels(thumbnail), _LOGARITHM, _BAND, counts, histogram, sums)
    pixels = counts.sum()
    parts = (counts / pixels, *sums / np.maximum(counts, 1), np.sqrt(histogram.ravel() / pixels))
    return np.concatenate(parts).astype(np.float32)


def chroma_of(thumbnail: Pixels) -> NDArray[np.float32]:
    """Histograms of log(R/G) and log(B/G), finer than that of `colours_of`, in four planes.

    (4, 40, 40) float32 over ±1, as square roots of shares: of dark, middling and bright pixels,
    whose brightest channel is under 70, 150 and 251 levels, and of the steps between pixels,
    weighted by their strength. Edges tell the light of things that fill the frame with their own
    colour (van de Weijer et al. 2007, "Edge-based color constancy").
    """
    counts = np.zeros((5, *CHROMA[1:]), np.int64)
    count_chroma(_some_pixels(thumbnail), _LOGARITHM, _LIGHT, counts)
    pixels, strength = counts[:4].sum(), counts[4].sum()
    shares = np.concatenate([counts[:3] / pixels, counts[4:] / max(strength, 1)])
    return np.asarray(np.sqrt(shares), np.float32)
