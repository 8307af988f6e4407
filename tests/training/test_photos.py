from pathlib import Path

import numpy as np

from tests.rooms import draw_room
from training.photos import held_out, is_neutral, recolour, split_photos, uses_the_range


def test_rooms_of_one_house_share_a_side():
    """The split goes by house, not by photo, and keeps about its share apart."""
    rooms = ("kitchen", "bedroom", "bathroom", "frontal")
    sides = [{held_out(Path(f"houses/{n}_{room}.jpg")) for room in rooms} for n in range(400)]

    assert all(len(side) == 1 for side in sides)
    assert 0.1 < np.mean([side == {True} for side in sides]) < 0.2


def test_photos_of_the_index_are_split_by_source(tmp_path):
    """What is wanted among the photos, each on its source's side, in the order of the index."""
    names = [f"houses/{number}_kitchen.jpg" for number in range(40)]
    rows = ["file,sharpness", "textures/0.jpg,9", *(f"photos/{n},{i}" for i, n in enumerate(names))]
    (tmp_path / "index.csv").write_text("\n".join(rows))

    found = split_photos(tmp_path, lambda _, row: float(row["sharpness"]) >= 5)

    wanted = [tmp_path / "photos" / name for name in names[5:]]
    assert found.validation == tuple(path for path in wanted if held_out(path))
    assert found.training == tuple(path for path in wanted if not held_out(path))
    assert found.validation
    assert found.training


def test_dull_and_tinted_photos_are_no_targets():
    """A room without black or white, and one under a yellow light, are recognised."""
    room = draw_room(2, 168, 112)
    stretched = np.clip((room.astype(float) - 30) * 1.4, 0, 255).astype(np.uint8)
    flat = (90 + 0.3 * room).astype(np.uint8)
    tinted = (stretched * np.asarray([1.0, 0.8, 0.4])).astype(np.uint8)

    assert not uses_the_range(flat)
    assert not is_neutral(tinted)


def test_recolouring_keeps_greys_grey():
    """Only things that have a colour get another one."""
    grey = np.full((8, 6, 3), 120, np.uint8)
    red = np.zeros((8, 6, 3), np.uint8)
    red[..., 0] = 200
    seeds = range(12)

    changed = [recolour(red, np.random.default_rng(seed)) for seed in seeds]

    assert all(
        np.abs(recolour(grey, np.random.default_rng(seed)).astype(int) - 120).max() <= 1
        for seed in seeds
    )
    assert any(not np.array_equal(picture, red) for picture in changed)
