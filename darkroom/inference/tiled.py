"""The restorer over whole photos: their tiles in batches, smaller ones where memory is short."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.imaging.photo import Pixels
from darkroom.imaging.tiles import Canvas, Tiling
from darkroom.inference.memory import is_out_of_memory

SMALLEST_TILE_PX = 88


class TileNetwork(Protocol):
    """What predicts the corrections of a batch of tiles, as `Restorer` does."""

    def correct(
        self, tiles: NDArray[np.uint8], told: NDArray[np.float32]
    ) -> NDArray[np.float32]: ...


class Work(NamedTuple):
    """A photo, or its shrunken version, and what the network is told of it."""

    pixels: Pixels
    told: NDArray[np.float32]


class Corrected(NamedTuple):
    """The corrections of all photos, and what it took to have them."""

    canvases: list[Canvas]
    tile_px: int
    batch: int
    tiles: int


def correct_photos(
    network: TileNetwork, photos: Sequence[Work], tile_px: int, batch: int
) -> Corrected:
    """Correct photos of any sizes, their tiles together in batches.

    A batch that runs out of memory is tried again at half its size, a single tile at half its side.

    Raises:
        MemoryError, RuntimeError: not even the smallest tile fits.
    """
    while True:
        shapes = [photo.pixels.shape for photo in photos]
        canvases = [Canvas(Tiling(height, width, tile_px)) for height, width, _ in shapes]
        try:
            batch, tiles = _correct(network, photos, canvases, batch)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or tile_px // 2 < SMALLEST_TILE_PX:
                raise
            tile_px, batch = tile_px // 2, 1
        else:
            return Corrected(canvases, tile_px, batch, tiles)


def _correct(
    network: TileNetwork, photos: Sequence[Work], canvases: list[Canvas], batch: int
) -> tuple[int, int]:
    """Fill the canvases; returns the size of batch that it came down to and how many tiles."""
    places = [
        (photo, index)
        for photo, canvas in enumerate(canvases)
        for index in range(len(canvas.tiling.places))
    ]
    tiles = [
        canvas.tiling.cut(photo.pixels) for photo, canvas in zip(photos, canvases, strict=True)
    ]
    done = 0
    while done < len(places):
        chosen = places[done : done + batch]
        try:
            corrections = network.correct(
                np.stack([tiles[photo][index] for photo, index in chosen]),
                np.stack([photos[photo].told for photo, _ in chosen]),
            )
        except (MemoryError, RuntimeError) as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
            batch //= 2
            continue
        for (photo, index), correction in zip(chosen, corrections, strict=True):
            canvases[photo].add(index, correction)
        done += len(chosen)
    return batch, len(places)
