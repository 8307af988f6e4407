"""At what size a photo is worked on: at its own, or the largest that the time left allows."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from darkroom.contracts.errors import OutOfTime
from darkroom.imaging.tiles import longest_covered, tiles_along

LEARNING_RATE = 0.3  # of a new measurement
DOUBT = 0.2  # of what tiles are thought to cost, less with each photo that is refused for it
MARGIN_MS = 25.0  # for the way back, and for what a busy machine takes longer than usual
MARGIN_SHARE = 0.08
FEWEST_TILES = 2  # with less, what comes back is hardly the photo's


@dataclass
class Pace:
    """How long things take on this machine: moving estimates.

    Of what several threads learn at the same moment something may be lost, and nothing else.
    """

    tile_ms: float = 0.0  # 0 while nothing is known
    megapixel_ms: float = 25.0  # of the full size, to shrink a photo and apply what was found
    encoding_ms: dict[Hashable, float] = field(default_factory=dict)  # a megapixel, by format

    def learn_tiles(self, tiles: int, ms: float) -> None:
        measured = ms / tiles
        before = self.tile_ms or measured
        self.tile_ms = before + LEARNING_RATE * (measured - before)

    def doubt_tiles(self) -> None:
        """Think tiles cheaper: the cost of what is always refused would never be measured again."""
        self.tile_ms *= 1 - DOUBT

    def learn_apply(self, megapixels: float, ms: float) -> None:
        self.megapixel_ms += LEARNING_RATE * (ms / megapixels - self.megapixel_ms)

    def learn_encoding(self, kind: Hashable, megapixels: float, ms: float) -> None:
        measured = ms / megapixels
        before = self.encoding_ms.get(kind, measured)
        self.encoding_ms[kind] = before + LEARNING_RATE * (measured - before)


def working_size(
    height: int, width: int, tile_px: int, left_ms: float | None, pace: Pace
) -> tuple[int, int]:
    """(height, width) to work at, same aspect ratio, never larger than the photo.

    Smaller sizes are those that a whole number of tiles covers: a little less would cost as much.

    Raises:
        OutOfTime: not even a small version can be worked on in `left_ms`. The pace is doubted then.
    """
    needed = tiles_along(height, tile_px) * tiles_along(width, tile_px)
    if left_ms is None or pace.tile_ms == 0:
        return height, width
    left_ms -= MARGIN_MS + MARGIN_SHARE * left_ms + pace.megapixel_ms * height * width / 1e6
    affordable = int(left_ms / pace.tile_ms)
    if affordable >= needed:
        return height, width
    if affordable < FEWEST_TILES:
        pace.doubt_tiles()
        raise OutOfTime
    scale = 0.0
    for rows in range(1, affordable + 1):
        columns = affordable // rows
        fits = (longest_covered(rows, tile_px) / height, longest_covered(columns, tile_px) / width)
        scale = max(scale, min(1.0, *fits))
    return max(1, round(height * scale)), max(1, round(width * scale))
