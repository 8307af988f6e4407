"""How far the light of a frame is from white: the part of the defect classifier that sees casts.

A change of light moves the log chroma of all pixels alike: a convolution over their histogram sees
the same pattern elsewhere; after Barron 2015, "Convolutional color constancy" (arXiv:1507.00410).
What the trunk sees tells a warm lamp from a wooden wall.
"""

import torch
from torch import Tensor, nn

from darkroom.imaging.views import CHROMA, COLOURS, STATISTICS

WIDTH = 96  # of what each of the three ways to look at a frame says
CHROMA_SCALE = 4.0  # most cells hold less than a hundredth of the pixels, its root being 0.1


class CastNetwork(nn.Module):
    """From what is known of a frame and the histogram of its chroma to its cast.

    forward: the trunk's features, statistics and colours (N, channels + 222) and the histograms
    (N, 4, 40, 40) → (N, 3): the logit of the severity, then log(R/G) and log(B/G) of the light,
    which steady the first and are used in training only.
    """

    known_mean: Tensor
    known_spread: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sizes = [channels, STATISTICS + COLOURS]
        self.seen = nn.Sequential(nn.Dropout(0.3), nn.Linear(channels, WIDTH), nn.ReLU())
        self.told = nn.Sequential(nn.Dropout(0.1), nn.Linear(self.sizes[1], WIDTH), nn.ReLU())
        self.chroma = nn.Sequential(
            nn.Conv2d(CHROMA[0], 16, 5, 2, 2),
            nn.ReLU(),
            nn.Conv2d(16, 24, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(24, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(32 * 5 * 5, WIDTH),
            nn.ReLU(),
        )
        self.frame = nn.Sequential(nn.Linear(3 * WIDTH, 128), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(128, 3)
        # Mean and spread over the training photos.
        self.register_buffer("known_mean", torch.zeros(sum(self.sizes)))
        self.register_buffer("known_spread", torch.ones(sum(self.sizes)))

    def forward(self, known: Tensor, chroma: Tensor) -> Tensor:
        seen, told = torch.split((known - self.known_mean) / self.known_spread, self.sizes, dim=1)
        parts = [self.seen(seen), self.told(told), self.chroma(CHROMA_SCALE * chroma)]
        light: Tensor = self.head(self.frame(torch.cat(parts, dim=1)))
        return light
