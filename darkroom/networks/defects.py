"""The network of `defects`: severities of all nine defects from a photo's views."""

import torch
from torch import Tensor, nn

from darkroom.contracts.defects import Defect
from darkroom.imaging.texture import DETAILED, TEXTURE
from darkroom.imaging.views import COLOURS, EVIDENCE, IN_PATCHES, IN_THUMBNAIL, LINES, STATISTICS
from darkroom.networks.casts import CastNetwork
from darkroom.networks.trunk import Trunk

# Columns that have a judge of their own.
DARKNESS = IN_THUMBNAIL.index(Defect.LOW_LIGHT)
CAST = IN_THUMBNAIL.index(Defect.POOR_WHITE_BALANCE)


class DefectNetwork(nn.Module):
    """A MobileNetV2 trunk over the thumbnail, a small dense network over the patches' texture.

    Maps the seven arrays of `Views`, batched, to severity logits (N, 9): first those
    of `IN_THUMBNAIL`, then those of `IN_PATCHES`.
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
        # By its own layers, which have learned from real dark photos, too; what the head of all
        # says of darkness steadies its training only.
        self.darkness = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(sum(self.sizes), 96),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(96, 1),
        )
        self.casts = CastNetwork(self.trunk.channels)
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
        parts = torch.split(self._normal(facts), self.sizes, dim=1)
        seen = [branch(part) for branch, part in zip(self.branches, parts, strict=True)]
        features: Tensor = self.frame(torch.cat(seen, dim=1))
        return features

    def judge_darkness(self, facts: Tensor) -> Tensor:
        """How dark the frame is: logits (N,)."""
        logits: Tensor = self.darkness(self._normal(facts))[:, 0]
        return logits

    def _normal(self, facts: Tensor) -> Tensor:
        return (facts - self.fact_mean) / self.fact_spread

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
        chroma: Tensor,
        texture: Tensor,
        evidence: Tensor,
    ) -> Tensor:
        facts = self.find_facts(thumbnails, statistics, lines, colours)
        frame = [*self.frame_head(self.judge_facts(facts)).unbind(dim=1)]
        frame[DARKNESS] = self.judge_darkness(facts)
        # Two opinions on casts, learned from different photos: their mean errs less than either.
        known = torch.cat([facts[:, : self.trunk.channels], statistics, colours], dim=1)
        frame[CAST] = (frame[CAST] + self.casts(known, chroma)[:, 0]) / 2
        grain = self.grain_head(self.see_grain(texture, evidence))
        return torch.cat([torch.stack(frame, dim=1), grain], dim=1)
