import json

import numpy as np
import pytest
import torch

from darkroom.contracts.defects import Defect
from darkroom.imaging.photo import Format, Photo
from darkroom.imaging.views import IN_PATCHES, IN_THUMBNAIL, stack_views, take_views
from darkroom.inference.defects import COLUMNS, load_classifier
from darkroom.networks.defects import DefectNetwork
from darkroom.networks.weights import write_weights
from tests.rooms import draw_room
from training.defects import loss_of, make_sample
from training.degradations import Recipe

THRESHOLDS = {"thresholds": json.dumps({defect.value: 0.3 for defect in Defect})}


def views_of(seed: int, width: int = 160, height: int = 120):
    return take_views(Photo(draw_room(seed, width, height), Format.PNG))


def test_every_defect_has_one_column():
    """The two halves of the network together name each defect once."""
    assert sorted(COLUMNS) == sorted(Defect)


def test_halves_do_not_see_each_other():
    """Texture cannot move a thumbnail's defects, nor the thumbnail those of the texture."""
    torch.manual_seed(0)
    network = DefectNetwork().eval()
    thumbnail, *told, texture, evidence = map(torch.from_numpy, stack_views([views_of(1)]))

    with torch.inference_mode():
        whole = network(thumbnail, *told, texture, evidence)
        other_texture = network(thumbnail, *told, 1 - texture, evidence)
        other_frame = network(255 - thumbnail, *told, texture, evidence)

    frame, grain = slice(0, len(IN_THUMBNAIL)), slice(len(IN_THUMBNAIL), None)
    assert whole.shape == (1, len(IN_THUMBNAIL) + len(IN_PATCHES))
    assert torch.equal(whole[:, frame], other_texture[:, frame])
    assert torch.equal(whole[:, grain], other_frame[:, grain])
    assert not torch.equal(whole[:, grain], other_texture[:, grain])


def test_loss_falls_on_one_batch():
    """Ten steps on one batch of degraded rooms bring the loss down."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = DefectNetwork()
    batch = [
        make_sample(draw_room(seed, 160, 96), Recipe({defect: 0.8}, seed), rng)
        for seed, defect in enumerate((Defect.LOW_LIGHT, Defect.HAZY))
    ]
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(10):
        loss = loss_of(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < losses[0] - 0.1


def test_loaded_classifier_computes_what_the_network_does(tmp_path):
    """The service's runtime agrees with torch to a hundredth, for one photo and for three."""
    torch.manual_seed(0)
    network = DefectNetwork().eval()
    write_weights(tmp_path / "defects.safetensors", network, THRESHOLDS)
    views = [views_of(seed) for seed in range(3)]

    classifier = load_classifier(tmp_path / "defects.safetensors", "cpu")
    alone, together = classifier.diagnose(views[:1]), classifier.diagnose(views)

    with torch.inference_mode():
        logits = network(*map(torch.from_numpy, stack_views(views)))
    expected = torch.sigmoid(logits).numpy()
    for diagnosis, row in zip([*alone, *together], [expected[0], *expected], strict=True):
        assert [diagnosis.severities[d] for d in COLUMNS] == pytest.approx(row, abs=0.01)
