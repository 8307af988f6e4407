import itertools

import cv2
import numpy as np
import torch

from tests.rooms import draw_room
from training.aging import age
from training.colour_photos import (
    as_square,
    batches,
    bears_colour,
    favour_grass,
    find_colour_photos,
    split_yuv,
)
from training.photos import held_out


def _save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


def _vivid(seed):
    room = draw_room(seed, 48, 32)
    return np.clip(room * np.asarray([1.0, 0.8, 0.5]), 0, 255).astype(np.uint8)


def test_grey_photos_are_left_out_and_houses_stay_together(tmp_path):
    """Only photos that bear colour serve, and no house is on both sides."""
    names = [f"photos/houses/{n}_{room}.png" for n in range(30) for room in ("kitchen", "front")]
    for seed, name in enumerate(names):
        _save(tmp_path / name, _vivid(seed))
    _save(tmp_path / "photos/houses/99_grey.png", np.full((32, 48, 3), 90, np.uint8))
    index = ["file,mean_luma", *(f"{name},100" for name in [*names, "photos/houses/99_grey.png"])]
    (tmp_path / "index.csv").write_text("\n".join(index))

    found = find_colour_photos(tmp_path)

    sides = [{p.stem.split("_")[0] for p in part} for part in (found.training, found.validation)]
    assert len(found.training) + len(found.validation) == 60
    assert not sides[0] & sides[1]
    assert all(held_out(path) for path in found.validation)


def test_green_is_seen_more_often(tmp_path):
    """A meadow comes four times, other photos from outdoors twice, a green room once."""
    meadow = np.full((32, 48, 3), (110, 140, 60), np.uint8)
    desert = np.full((32, 48, 3), (170, 140, 100), np.uint8)
    pictures = {"houses/1_frontal": meadow, "bsds500/7": desert, "houses/1_kitchen": meadow}
    paths = tuple(_save(tmp_path / f"{name}.png", p) for name, p in pictures.items())

    seen = favour_grass(paths)

    assert [seen.count(path) for path in paths] == [4, 2, 1]


def test_square_without_chance_is_the_photo():
    """For validation the whole photo is squeezed, unaged, its chroma at a quarter of the side."""
    room = draw_room(4, 96, 64)

    aged, luma, chroma = as_square(room, 64, None)

    squeezed, _ = split_yuv(np.asarray(cv2.resize(room, (64, 64), interpolation=cv2.INTER_AREA)))
    assert np.array_equal(aged, luma)
    assert np.allclose(luma, squeezed)
    assert chroma.shape == (2, 16, 16)


def test_batches_go_on_without_end(tmp_path):
    """Two photos fill three batches of two, each time cropped and aged in another way."""
    paths = tuple(_save(tmp_path / f"{n}.png", _vivid(n)) for n in range(2))
    endless = batches(paths, 32, 2, 1, torch.device("cpu"))

    seen = list(itertools.islice(endless, 3))

    assert all(squares.aged.shape == (2, 32, 32) for squares in seen)
    assert not torch.equal(seen[0].luma, seen[1].luma)
    assert all(bears_colour(path) for path in paths)


def test_age_stays_in_range_and_varies():
    """Most greys change, some stay; none leaves the range of levels."""
    luma, _ = split_yuv(draw_room(5, 48, 32))

    aged = [age(luma, np.random.default_rng(seed)) for seed in range(40)]

    untouched = sum(np.array_equal(a, luma) for a in aged)
    assert all(a.shape == luma.shape and a.dtype == np.float32 for a in aged)
    assert all(a.min() >= 0 and a.max() <= 1 for a in aged)
    assert 4 <= untouched <= 22
