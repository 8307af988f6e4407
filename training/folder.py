"""Any folder of photos, split for fine-tuning: 70 % to train on, 15 % to validate, 15 % to test."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ENDINGS = frozenset({".jpg", ".jpeg", ".png"})
TRAINING, VALIDATION = 0.70, 0.15  # shares of the sources; the rest is for the test
FEWEST_SOURCES = 10


class Source(StrEnum):
    """What photos of one source have in common: they must not be on both sides of the split."""

    STEM = "stem"  # the file's name up to the first underscore: 17_kitchen.jpg, 17_front.jpg
    FOLDER = "folder"  # the subfolder they lie in


@dataclass(frozen=True)
class FolderSplit:
    training: tuple[Path, ...]
    validation: tuple[Path, ...]
    test: tuple[Path, ...]


def source_of(path: Path, folder: Path, by: Source) -> str:
    relative = path.relative_to(folder)
    if by is Source.FOLDER:
        return str(relative.parent)
    return str(relative.parent / path.stem.split("_")[0])


def split_folder(
    folder: Path, by: Source = Source.STEM, wanted: Callable[[Path], bool] = Path.is_file
) -> FolderSplit:
    """Find the `wanted` photos under `folder` and split them by source, the same way each time.

    The order of the sources comes from a hash of their names, so neighbours in a video or a street
    do not fall to one side, and a part's share is exact to one source.

    Raises:
        ValueError: there are fewer than ten sources.
    """
    photos: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS and wanted(path):
            photos[source_of(path, folder, by)].append(path)
    if len(photos) < FEWEST_SOURCES:
        raise ValueError(f"{len(photos)} sources are too few to split; {FEWEST_SOURCES} are needed")
    ordered = sorted(photos, key=lambda source: hashlib.sha256(source.encode()).digest())
    first = round(TRAINING * len(ordered))
    second = first + round(VALIDATION * len(ordered))
    parts = (ordered[:first], ordered[first:second], ordered[second:])
    return FolderSplit(*(tuple(p for source in part for p in photos[source]) for part in parts))
