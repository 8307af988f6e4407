import cv2
import pytest
import torch
from torch import nn

from darkroom.networks.lite import LiteGenerator
from tests.rooms import draw_room
from training import averaging
from training.averaging import Averaged, approach
from training.colorize import Stage, train_stage
from training.photos import TrainingPhotos


def follow(averaged, values):
    for value in values:
        nn.init.constant_(averaged.network.weight, value)
        averaged.follow()
    return float(averaged.mean.weight[0, 0])


def test_mean_is_of_all_weights_at_first():
    """What it started from is not among them unless it is followed."""
    averaged = Averaged(nn.Linear(2, 3))

    assert follow(averaged, [1.0, 2.0, 6.0]) == pytest.approx(3.0)


def test_mean_forgets_what_is_long_past(monkeypatch):
    """After ten times as many steps as it reaches back nothing is left of the first weights."""
    monkeypatch.setattr(averaging, "STEPS", 4)
    averaged = Averaged(nn.Linear(2, 3))

    assert follow(averaged, [1000.0] * 4 + [2.0] * 40) == pytest.approx(2.0, abs=0.05)


def test_mean_goes_on_from_a_checkpoint():
    """Stopped halfway it ends where it would have ended."""
    stopped, resumed = Averaged(nn.Linear(2, 3)), Averaged(nn.Linear(2, 3))
    follow(stopped, [1.0, 2.0])

    resumed.load_state_dict(stopped.state_dict())

    assert follow(resumed, [6.0]) == pytest.approx(3.0)


def test_counters_are_taken_over():
    """Whole numbers, as batch norms count batches, have no mean."""
    averaged = Averaged(nn.BatchNorm2d(2))
    for _ in range(3):
        averaged.network(torch.rand(2, 2, 3, 4))
        averaged.follow()

    assert int(averaged.mean.num_batches_tracked) == 3
    assert torch.allclose(averaged.mean.running_mean, averaged.network.running_mean, atol=0.1)


def test_halfway_is_between_both():
    """The one moves, the other stays."""
    ours, theirs = nn.Linear(2, 3), nn.Linear(2, 3)
    nn.init.constant_(ours.weight, 1.0)
    nn.init.constant_(theirs.weight, 4.0)

    approach(ours, theirs, 0.5)

    assert torch.equal(ours.weight, torch.full((3, 2), 2.5))
    assert torch.equal(theirs.weight, torch.full((3, 2), 4.0))


def test_stage_of_colorize_ends_in_the_mean(tmp_path):
    """The network that is written is the checkpoint's mean, not where its last step ended."""
    paths = tuple(tmp_path / f"{seed}_room.png" for seed in range(4))
    for seed, path in enumerate(paths):
        cv2.imwrite(str(path), draw_room(seed, 96, 64))
    torch.manual_seed(0)
    network = LiteGenerator()
    stage = Stage("tiny", side=64, batch=2, share=1.0, rate=1e-2, encoder_rate=1e-3)

    train_stage(
        network,
        stage,
        TrainingPhotos(paths, paths),
        lambda squares: network.judge(squares.aged[:, None].repeat(1, 3, 1, 1)).square().mean(),
        minutes=0.001,
        run=tmp_path,
        device=torch.device("cpu"),
    )

    saved = torch.load(tmp_path / "tiny" / "checkpoint.pt", weights_only=True)["network"]
    assert torch.equal(network.head.bias, saved["mean.head.bias"])
    assert not torch.equal(network.head.bias, saved["network.head.bias"])
