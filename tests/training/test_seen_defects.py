import csv
from pathlib import Path

import pytest

from darkroom.contracts.defects import Defect
from training.seen_defects import LIST, seen_in

INDEX = LIST.parents[2] / "shared" / "data" / "index.csv"


def read_column(path: Path, column: str) -> list[str]:
    with path.open(newline="") as lines:
        return [row[column] for row in csv.DictReader(lines)]


def test_photo_has_every_defect_that_it_is_listed_with():
    """Two lines for one photo are two defects of it; a photo without a line has none."""
    two = seen_in(Path("anywhere/photos/houses/258_kitchen.jpg"))

    assert two == {Defect.POOR_WHITE_BALANCE, Defect.LOW_LIGHT}
    assert seen_in(Path("anywhere/photos/houses/1_bedroom.jpg")) == frozenset()


def test_each_line_says_why_and_stands_once():
    """No photo is listed twice with the same defect, or without a word."""
    lines = list(zip(read_column(LIST, "file"), read_column(LIST, "defect"), strict=True))

    assert len(set(lines)) == len(lines)
    assert all(why.strip() for why in read_column(LIST, "why"))


@pytest.mark.skipif(not INDEX.exists(), reason="needs the data set")
def test_each_listed_photo_is_in_the_data_set():
    """A name that is misspelt would leave nothing out, and nobody would see it."""
    assert set(read_column(LIST, "file")) <= set(read_column(INDEX, "file"))
