"""Contact sheets: photos side by side, for people to judge."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np

from darkroom.imaging.photo import Pixels

GAP_PX, HEADER_PX = 4, 18


def contact_sheet(rows: Sequence[Sequence[Pixels]], titles: Sequence[str], width: int) -> Pixels:
    """Each row the same photo in several versions, `width` pixels each, under their titles."""
    lines = [np.full((HEADER_PX, len(titles) * (width + GAP_PX), 3), 255, np.uint8)]
    for column, title in enumerate(titles):
        place = (column * (width + GAP_PX) + 2, HEADER_PX - 5)
        cv2.putText(lines[0], title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1)
    for row in rows:
        height = round(row[0].shape[0] * width / row[0].shape[1])
        line = np.full((height + GAP_PX, lines[0].shape[1], 3), 255, np.uint8)
        for column, pixels in enumerate(row):
            left = column * (width + GAP_PX)
            shrunk = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
            line[:height, left : left + width] = shrunk
        lines.append(line)
    return np.concatenate(lines)


def side_by_side(sheets: Sequence[Pixels]) -> Pixels:
    """Put sheets beside each other, the shorter filled up with white."""
    tallest = max(len(sheet) for sheet in sheets)
    filled = [
        np.pad(s, ((0, tallest - len(s)), (0, 0), (0, 0)), constant_values=255) for s in sheets
    ]
    return np.concatenate(filled, axis=1)


def draw_rows(path: Path, rows: Mapping[str, Sequence[Pixels]], titles: Sequence[str]) -> None:
    """Draw named rows of photos of any size, each column under its title, and save them."""
    size = (2.6 * len(titles), 2.4 * len(rows))
    figure, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False)
    for line, (name, photos) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, photo in zip(line, photos, strict=True):
            axis.imshow(photo, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def save_sheet(path: Path, sheet: Pixels) -> None:
    """As JPEG of high quality with full colour: a sheet of photos as PNG is ten times as large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_colour = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, 90, *whole_colour]
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), options):
        raise OSError(f"{path} cannot be written")
