from itertools import combinations

import pytest

from training.folder import Source, source_of, split_folder


def _fill(folder, count):
    for number in range(count):
        for room in ("kitchen", "front"):
            path = folder / f"street{number % 13}" / f"{number}_{room}.JPG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (folder / "notes.txt").touch()


@pytest.mark.parametrize("by", list(Source))
def test_no_source_is_in_two_parts(tmp_path, by):
    """Photos of one house, or one folder, are never trained on and tested with."""
    _fill(tmp_path, 40)

    split = split_folder(tmp_path, by)

    parts = (split.training, split.validation, split.test)
    sources = [{source_of(path, tmp_path, by) for path in part} for part in parts]
    assert sum(map(len, parts)) == 80
    assert all(sources)
    assert not any(one & other for one, other in combinations(sources, 2))


def test_shares_and_repeatability(tmp_path):
    """70, 15 and 15 of a hundred sources, the same ones each time."""
    _fill(tmp_path, 100)

    split = split_folder(tmp_path)

    assert [len(part) // 2 for part in vars(split).values()] == [70, 15, 15]
    assert split == split_folder(tmp_path)


def test_too_few_sources_are_refused(tmp_path):
    """A split of nine would test on one."""
    _fill(tmp_path, 9)

    with pytest.raises(ValueError, match="too few"):
        split_folder(tmp_path)


def test_unwanted_photos_do_not_count(tmp_path):
    """What is not wanted, grey photos for instance, is in no part."""
    _fill(tmp_path, 40)

    split = split_folder(tmp_path, wanted=lambda path: "kitchen" in path.name)

    assert all("kitchen" in path.name for part in vars(split).values() for path in part)
