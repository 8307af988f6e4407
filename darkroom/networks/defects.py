"""The defect classifier: severities of all nine defects from a photo's views."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from darkroom.contracts.defects import Defect
from darkroom.contracts.diagnosis import Diagnosis
from darkroom.imaging.texture import DETAILED, PATCHES, TEXTURE
from darkroom.imaging.views import COLOURS, EVIDENCE, LINES, STATISTICS, THUMBNAIL_PX, Views
from darkroom.networks.runtime import Arrays, Compiled, compile_network, convert_network
from darkroom.networks.trunk import Trunk
from darkroom.networks.weights import read_weights

# Which part of the views shows which defects. The split is strict, so that nothing is learned from
# the noise or blur left on a small photo's thumbnail, which a large photo's does not have.
IN_THUMBNAIL = (
    Defect.LOW_LIGHT,
    Defect.LOW_CONTRAST,
    Defect.POOR_WHITE_BALANCE,
    Defect.HAZY,
    Defect.GLARING,
    Defect.ROTATION,
)
IN_PATCHES = (Defect.BLUR, Defect.NOISY, Defect.JPEG_ARTIFACTS)
COLUMNS = IN_THUMBNAIL + IN_PATCHES  # order of the network's outputs


class DefectNetwork(nn.Module):
    """A MobileNetV2 trunk over the thumbnail, a small dense network over the patches' texture.

    Maps the six arrays of `Views`, batched, to severity logits (N, 9) in the order of `COLUMNS`.
    """

    fact_mean: Tensor
    fact_spread: Tensor
    texture_mean: Tensor
    texture_spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(stages=6)
        # What the trunk finds hard to learn from a thousand photos, it is told: the directions of
        # edges give a tilt away, the colours of bright and dark parts a tint.
        self.sizes = [self.trunk.channels, STATISTICS, LINES, COLOURS]
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Dropout(0.2), nn.Linear(size, 128), nn.ReLU()) for size in self.sizes
        )
        self.frame = nn.Sequential(nn.Linear(128 * 4, 192), nn.ReLU(), nn.Dropout(0.2))
        self.frame_head = nn.Linear(192, len(IN_THUMBNAIL))
        self.tilt_head = nn.Linear(192, 1)  # training only: the signed angle steadies `rotation`
        self.texture = nn.Sequential(
            nn.Linear(TEXTURE, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU()
        )
        self.grain = nn.Sequential(
            nn.Linear(3 * 64 + EVIDENCE, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()
        )
        self.grain_head = nn.Linear(64, len(IN_PATCHES))
        # Mean and spread over the training photos.
        self.register_buffer("fact_mean", torch.zeros(sum(self.sizes)))
        self.register_buffer("fact_spread", torch.ones(sum(self.sizes)))
        self.register_buffer("texture_mean", torch.zeros(TEXTURE))
        self.register_buffer("texture_spread", torch.ones(TEXTURE))

    def find_facts(
        self, thumbnails: Tensor, statistics: Tensor, lines: Tensor, colours: Tensor
    ) -> Tensor:
        """All that is known of the frame, (N, 462): the trunk's features, then what it is told."""
        return torch.cat(
            [self.trunk(thumbnails).mean(dim=(2, 3)), statistics, lines, colours], dim=1
        )

    def judge_facts(self, facts: Tensor) -> Tensor:
        parts = torch.split((facts - self.fact_mean) / self.fact_spread, self.sizes, dim=1)
        seen = [branch(part) for branch, part in zip(self.branches, parts, strict=True)]
        features: Tensor = self.frame(torch.cat(seen, dim=1))
        return features

    def see_grain(self, texture: Tensor, evidence: Tensor) -> Tensor:
        seen = self.texture((texture - self.texture_mean) / self.texture_spread)
        detailed, flat = seen[:, :DETAILED], seen[:, DETAILED:]
        parts = [detailed.mean(dim=1), detailed.amax(dim=1), flat.mean(dim=1), evidence]
        features: Tensor = self.grain(torch.cat(parts, dim=1))
        return features

    def forward(
        self,
        thumbnails: Tensor,
        statistics: Tensor,
        lines: Tensor,
        colours: Tensor,
        texture: Tensor,
        evidence: Tensor,
    ) -> Tensor:
        facts = self.find_facts(thumbnails, statistics, lines, colours)
        frame = self.frame_head(self.judge_facts(facts))
        grain = self.grain_head(self.see_grain(texture, evidence))
        return torch.cat([frame, grain], dim=1)


def stack_views(views: list[Views]) -> tuple[np.ndarray, ...]:
    """Batch the six arrays, in the order that `DefectNetwork.forward` takes them."""
    return (
        np.stack([view.thumbnail for view in views]),
        np.stack([view.statistics for view in views]),
        np.stack([view.lines for view in views]),
        np.stack([view.colours for view in views]),
        np.stack([view.texture for view in views]),
        np.stack([view.evidence for view in views]),
    )


class Classifier:
    """A trained network with the thresholds that were fitted to it."""

    def __init__(self, network: Compiled, thresholds: dict[Defect, float]) -> None:
        self.network = network
        self.thresholds = thresholds

    def diagnose(self, views: list[Views]) -> list[Diagnosis]:
        (logits,) = self.network(*stack_views(views))
        severities = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return [
            Diagnosis(
                severities={d: round(float(s), 3) for d, s in zip(COLUMNS, row, strict=True)},
                thresholds=self.thresholds,
            )
            for row in severities
        ]


def load_classifier(weights: Path, device: str) -> Classifier:
    """Read the trained classifier, ready for inference on `device` ("cpu" or "cuda").

    Raises:
        WrongWeights: the file belongs to another architecture or is damaged.
    """
    network = DefectNetwork()
    notes = read_weights(weights, network)
    thresholds = {Defect(name): float(t) for name, t in json.loads(notes["thresholds"]).items()}
    converted = weights.with_suffix(".xml")
    return Classifier(compile_network(network, _example(), device, converted), thresholds)


def convert(weights: Path) -> None:
    """Convert the network ahead of time, into files beside `weights` that loading then finds."""
    network = DefectNetwork()
    read_weights(weights, network)
    convert_network(network, _example(), weights.with_suffix(".xml"))


def _example() -> Arrays:
    blank = Views(
        np.zeros((THUMBNAIL_PX, THUMBNAIL_PX, 3), np.uint8),
        np.zeros(STATISTICS, np.float32),
        np.zeros(LINES, np.float32),
        np.zeros(COLOURS, np.float32),
        np.zeros((PATCHES, TEXTURE), np.float32),
        np.zeros(EVIDENCE, np.float32),
    )
    return stack_views([blank])
