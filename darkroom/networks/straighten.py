"""The network of `straighten`: which of the angles that a photo's lines vote for is its tilt."""

from torch import Tensor, nn

from darkroom.imaging.upright import VOTES


class TiltNetwork(nn.Module):
    """Two convolutions over the angles: the same votes around any angle mean the same.

    Maps votes (N, VOTES, 81) as `count_votes` gives them to logits (N, 81), one for each angle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(VOTES, 20, 5, padding=2), nn.ReLU(), nn.Conv1d(20, 1, 9, padding=4)
        )

    def forward(self, votes: Tensor) -> Tensor:
        logits: Tensor = self.layers(votes)
        return logits[:, 0]
