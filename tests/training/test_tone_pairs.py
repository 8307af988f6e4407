"""What the toner is given to learn from; the training itself takes an hour."""

import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.imaging.views import THUMBNAIL_PX
from darkroom.inference.restore import Restorer, told_vector
from tests.photos import to_bytes
from tests.rooms import draw_room
from training.degradations import Recipe
from training.tone_pairs import batches, make_coarse_pair, make_pair

DARK = Recipe({Defect.LOW_LIGHT: 0.5}, 1)
NOISY = Recipe({**DARK.severities, Defect.NOISY: 0.6}, 1)
ASKED = frozenset({Defect.LOW_LIGHT})


def brightening_by(levels, told):
    """A restorer that adds `levels` everywhere and keeps what it is told in the list `told`."""

    def compile_for(_side):
        def correct(tiles, severities):
            told.append(severities)
            return (np.full(tiles.shape, levels, np.float32),)

        return correct

    return Restorer(compile_for)


def test_a_noisy_thumbnail_is_seen_but_not_what_the_map_is_judged_on():
    """The map is applied to the same dark photo without the noise: it is not to dull anything."""
    clean = draw_room(1, 320, 240)

    pair, plain = make_coarse_pair(clean, NOISY, ASKED, None), make_pair(clean, DARK, ASKED)

    assert pair.seen.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    assert np.array_equal(pair.start, plain.start)
    assert np.array_equal(pair.target, plain.target)
    assert pair.seen.astype(float).std() > 1.1 * pair.start.astype(float).std()


def test_a_restored_thumbnail_is_what_the_restorer_made_of_the_noisy_one():
    """Seen and judged on alike: in a plan the toner gets nothing but the restored photo."""
    clean, told = draw_room(1, 320, 240), []
    noisy = make_coarse_pair(clean, NOISY, ASKED, None)

    pair = make_coarse_pair(clean, NOISY, ASKED, brightening_by(3, told))

    assert np.array_equal(pair.seen, np.minimum(noisy.seen.astype(int) + 3, 255))
    assert np.array_equal(pair.start, pair.seen)
    assert np.array_equal(pair.target, noisy.target)
    assert (told[0][0] >= told_vector({Defect.NOISY: 0.6})).all()  # and the dark photo's own noise


def test_only_further_training_sees_texture(tmp_path):
    """Without a restorer the map is judged on what the network sees: light and colour alone."""
    photo = tmp_path / "room.png"
    photo.write_bytes(to_bytes(draw_room(1, 320, 240), "png"))

    def noisy(restorer):
        pairs = next(batches((photo,), restorer, np.random.default_rng(1)))
        return [not np.array_equal(pair.seen, pair.start) for pair in pairs]

    assert not any(noisy(None))
    assert any(noisy(brightening_by(3, [])))
