"""`training/darkness.py`: the toner says how dark a photo is, and the classifier learns it."""

import cv2
import numpy as np
import pytest
import torch

from darkroom.contracts.defects import Defect
from darkroom.imaging.tone_map import ToneMap
from darkroom.imaging.views import thumbnail_of
from darkroom.inference.tone import Toner
from darkroom.networks.defects import DefectNetwork
from tests.rooms import draw_room
from training.darkness import look_at_real, look_at_spoilt, measure, missing_light, train_darkness
from training.degradations import Recipe, degrade
from training.degradations.light import to_linear, to_srgb


def toner_that_adds(stops: float) -> Toner:
    """Brightens whatever it sees by so many stops."""
    levels = np.arange(256, dtype=np.float32) / 255
    curve = to_srgb(to_linear(levels) * np.float32(2**stops))
    grid = ToneMap.identity().grid

    def network(thumbnails: np.ndarray, *_: np.ndarray) -> tuple[np.ndarray, ...]:
        return np.stack([[curve] * 3] * len(thumbnails)), np.stack([grid] * len(thumbnails))

    return Toner(network)


@pytest.fixture
def photos(tmp_path):
    paths = [tmp_path / f"{seed}.png" for seed in range(4)]
    for seed, path in enumerate(paths):
        cv2.imwrite(str(path), draw_room(seed, 168, 112))
    return tuple(paths)


def test_missing_light_is_what_the_toner_would_add():
    """Two stops, which are four fifths of what is missing, are a severity of 2 / 5 / 0.8."""
    dark = degrade(draw_room(1, 168, 112), Recipe({Defect.LOW_LIGHT: 0.6}, 1)).pixels

    assert missing_light(toner_that_adds(0), thumbnail_of(dark)) < 0.01
    assert missing_light(toner_that_adds(2), thumbnail_of(dark)) == pytest.approx(0.5, abs=0.1)


def test_spoilt_photos_are_as_dark_as_they_were_made():
    """Of photos spoilt at random the severity is the recipe's, and often there is none."""
    rng = np.random.default_rng(0)
    severities = [look_at_spoilt(draw_room(seed, 168, 112), rng)[1] for seed in range(30)]

    assert min(severities) == 0
    assert 0.3 < max(severities) <= 1


def test_training_on_darkness_changes_nothing_else(photos):
    """The loss comes down with more epochs; what judges other defects stays as it was."""
    network = DefectNetwork().eval()
    look, rng = look_at_real(toner_that_adds(1)), np.random.default_rng(0)
    pool = measure(network, photos, look, rng, count=32)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    torch.manual_seed(0)
    losses = [train_darkness(network, pool, epochs=epochs) for epochs in (1, 15)]

    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert losses[1] < 0.9 * losses[0]
    assert changed
    assert all(name.startswith("darkness.") for name in changed)
