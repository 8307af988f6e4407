from functools import partial

import cv2
import numpy as np
import pytest
import torch

from darkroom.networks.lite import LiteGenerator
from tests.rooms import draw_room
from training import compare_colorizers, fine_tune_colorizer
from training.colouring import colour
from training.compare_colorizers import report
from training.fine_tune_colorizer import Best, fine_tune
from training.folder import split_folder
from training.loop import Progress
from training.perception import Perception


@pytest.fixture
def folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(34):
        room = draw_room(seed, 48, 32) * np.asarray([1.0, 0.85, 0.6])
        cv2.imwrite(str(photos / f"{seed}_room.png"), room[..., ::-1])
    return photos


def test_stopped_training_goes_on(folder, tmp_path, monkeypatch):
    """Called again it counts on from its checkpoint, and the best weights are on disk."""
    monkeypatch.setattr(fine_tune_colorizer, "SIDE", 64)
    monkeypatch.setattr(fine_tune_colorizer, "BATCH", 2)
    torch.manual_seed(0)
    run, split = tmp_path / "run", split_folder(folder)
    run.mkdir()

    def go_on(minutes):
        device = torch.device("cpu")
        return fine_tune(LiteGenerator(), Perception(), split, run, minutes, device)

    first = go_on(0.001)
    second = go_on(first.seconds / 60 + 0.001)

    assert 0 < first.step < second.step
    assert (run / "tuned.safetensors").exists()


def test_only_better_weights_are_kept(tmp_path):
    """A worse score leaves the file as it is, also after a restart."""
    network, path = LiteGenerator(), tmp_path / "tuned.safetensors"
    best = Best(network, path)
    best.look(-2.0)
    kept = path.read_bytes()
    torch.nn.init.ones_(network.head.bias)

    best.look(-1.0)
    Best(network, path).look(-1.5)

    assert path.read_bytes() == kept


def test_report_tells_of_every_photo(folder, tmp_path, monkeypatch):
    """Two equal colorizers: a line for each photo and method, and no difference found."""
    monkeypatch.setattr(compare_colorizers, "colour", partial(colour, side=64))
    monkeypatch.setattr(compare_colorizers, "SHOWN", 2)
    torch.manual_seed(0)
    network, test = LiteGenerator().eval(), split_folder(folder).test
    progress = Progress(losses=[(50, 7.0), (100, 6.0)], scores=[(100, -0.5)])
    out = tmp_path / "report"

    found = report(network, network, Perception(), test, progress, {"test": len(test)}, out)

    lines = (out / "photos.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * len(test)
    assert all(comparison.p_t == 1 for comparison in found.values())
    for name in ("report.md", "metrics.json", "losses.png", "histograms.png", "sheet.jpg"):
        assert (out / name).stat().st_size > 0
