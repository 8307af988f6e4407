import numpy as np

from darkroom.contracts.defects import Defect
from tests.rooms import draw_room
from training.damage import CROP_PX, Damage, draw_crop, draw_pairs, draw_told, make_pair, spoil
from training.degradations.sensor import camera_noise, sigma_of

ALL = {Defect.BLUR: 0.4, Defect.NOISY: 0.4, Defect.JPEG_ARTIFACTS: 0.4}


def test_equal_damage_gives_equal_pictures():
    """A picture can be made again from its damage."""
    photo = draw_room(1, 96, 80)

    assert np.array_equal(spoil(photo, Damage(ALL, 7)), spoil(photo, Damage(ALL, 7)))
    assert not np.array_equal(spoil(photo, Damage(ALL, 7)), spoil(photo, Damage(ALL, 8)))


def test_what_is_left_out_does_not_change_the_rest():
    """Without the JPEG the noise is the very same: a target differs in what was asked for alone."""
    photo = draw_room(1, 96, 80)
    noise = Damage({Defect.NOISY: 0.4}, 7)
    both = Damage({Defect.NOISY: 0.4, Defect.JPEG_ARTIFACTS: 0.4}, 7)

    left = both.without(frozenset({Defect.JPEG_ARTIFACTS}))

    assert np.array_equal(spoil(photo, left), spoil(photo, noise))
    assert np.array_equal(spoil(photo, both.without(frozenset(both.severities))), photo)


def test_camera_noise_has_the_strength_of_its_severity():
    """And it is blotchy: neighbours are alike, unlike in white noise."""
    grey = np.full((200, 260, 3), 0.5, np.float32)

    noise = camera_noise(grey, 0.5, np.random.default_rng(3)) - grey

    assert abs(noise.std() * 255 - sigma_of(0.5)) < 0.1 * sigma_of(0.5)
    assert np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1] > 0.2


def test_what_is_told_is_near_the_truth():
    """On average the network is told the severity, off by as much as a diagnosis, or 1."""
    rng = np.random.default_rng(0)
    told = np.asarray([draw_told(rng, {Defect.NOISY: 0.5})[1][0] for _ in range(300)])

    known = told[told < 1]
    assert 0.1 < (told == 1).mean() < 0.3
    assert abs(known.mean() - 0.5) < 0.02
    assert 0.02 < known.std() < 0.05


def test_a_clean_pair_is_its_own_target():
    """So that doing nothing is learned as well."""
    pair = make_pair(draw_room(1, 120, 120), Damage({}, 1), np.random.default_rng(0))

    assert pair.damaged.shape == (CROP_PX, CROP_PX, 3)
    assert np.array_equal(pair.damaged, pair.target)


def test_crops_of_small_photos_have_the_full_size():
    """Shrunk or enlarged, a crop is a crop."""
    rng = np.random.default_rng(0)
    photo = draw_room(1, 150, 130)

    assert {draw_crop(photo, rng).shape for _ in range(20)} == {(120, 120, 3)}


def test_most_crops_begin_with_a_block_of_the_jpeg():
    """As the tiles of a file do that nobody has cropped since: steps stand between the blocks."""
    room = draw_room(1, 120, 120)
    rng = np.random.default_rng(0)
    damage = Damage({Defect.JPEG_ARTIFACTS: 0.8}, 1)
    crops = [make_pair(room, damage, rng).damaged.astype(np.float32) for _ in range(40)]

    steps = [np.abs(np.diff(crop, axis=1)).mean(axis=(0, 2)) for crop in crops]
    aligned = [step[7::8].mean() > 1.2 * np.delete(step, np.s_[7::8]).mean() for step in steps]

    assert 0.55 < np.mean(aligned) < 0.95


def test_pairs_never_end():
    """Two photos give any number of pairs."""
    pairs = draw_pairs([draw_room(seed, 150, 130) for seed in (1, 2)], np.random.default_rng(0))

    assert all(next(pairs).told.min() >= 0 for _ in range(5))
