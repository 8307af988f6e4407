"""Defects that photos have by themselves, as seen by eye: `seen_defects.csv`, with a word why.

Photos are taken as they are found, and the light of some has a colour of its own, meant or not, or
there is little of it. Such a photo is no negative for that defect, and with a cast added to its own
it may even end nearer to white. A photo is listed if what must be white is not, or if half of the
frame lies in the dark or behind a veil of light; what was doubtful is not listed.

Every held-out photo of `find_photos` was looked at on contact sheets, before and without any
network's opinion of it; of three (bsds500 24063, 78098, 145014) an earlier report had told. Of the
training photos only those 500 were looked at that shades of grey, grey edge and a network took for
the most tinted: that part of the list leaves photos out of a training, and no figure rests on it.
"""

import csv
from functools import cache
from pathlib import Path

from darkroom.contracts.defects import Defect

LIST = Path(__file__).with_suffix(".csv")


def seen_in(path: Path) -> frozenset[Defect]:
    """The defects that the photo `path`, of the data set's folder `photos`, has by itself."""
    return _read(LIST).get(f"photos/{path.parent.name}/{path.name}", frozenset())


@cache
def _read(rows: Path) -> dict[str, frozenset[Defect]]:
    seen: dict[str, frozenset[Defect]] = {}
    with rows.open(newline="") as lines:
        for row in csv.DictReader(lines):
            seen[row["file"]] = seen.get(row["file"], frozenset()) | {Defect(row["defect"])}
    return seen
