"""Make the README's picture through a running Darkroom: `python -m training.picture`.

From photos that scikit-image bundles: coffee (Rachel Michetti, CC0), chelsea (Stefan van der Walt,
CC0) and astronaut (NASA, public domain), degraded on purpose.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from darkroom.blocking import Darkroom
from darkroom.client import DEFAULT_URL
from darkroom.contracts.defects import Defect
from darkroom.imaging.codec import decode
from darkroom.imaging.photo import Pixels
from training.degradations import Recipe, compression, degrade
from training.photos import bundled_photo

SHOWN: tuple[tuple[str, Recipe], ...] = (
    ("coffee", Recipe({Defect.LOW_LIGHT: 0.6}, 11)),
    ("chelsea", Recipe({Defect.HAZY: 0.7}, 2)),
    ("astronaut", Recipe({Defect.POOR_WHITE_BALANCE: 0.7}, 4)),
)
HEIGHT_PX = 300
GAP_PX = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=DEFAULT_URL, help="of the running service")
    parser.add_argument("--out", type=Path, default=Path("docs/images/before-after.png"))
    arguments = parser.parse_args()
    with Darkroom(arguments.url) as darkroom:
        columns = [_column(darkroom, bundled_photo(name), recipe) for name, recipe in SHOWN]
    spaced = [
        part for column in columns for part in (column, _gap(column.swapaxes(0, 1)).swapaxes(0, 1))
    ]
    picture = np.concatenate(spaced[:-1], axis=1)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(arguments.out), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    print(arguments.out)


def _column(darkroom: Darkroom, clean: Pixels, recipe: Recipe) -> Pixels:
    """The degraded photo above what became of it."""
    degraded = degrade(clean, recipe).pixels
    mended = darkroom.enhance(compression.compress(degraded, 95)).photo
    after = degraded if mended is None else decode(mended, degraded.size).pixels
    return np.concatenate([_shown(degraded), _gap(_shown(degraded)), _shown(after)])


def _shown(pixels: Pixels) -> Pixels:
    width = round(pixels.shape[1] * HEIGHT_PX / pixels.shape[0])
    shown = cv2.resize(pixels, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(shown, np.uint8)


def _gap(pixels: Pixels) -> Pixels:
    return np.full((GAP_PX, *pixels.shape[1:]), 255, np.uint8)


if __name__ == "__main__":
    main()
