"""How vivid the trained colorizer is to be: fits its temperature and saturation.

The mean of what is likely is nearest to the truth in PSNR and pale; the likeliest colour is vivid
and, where it is wrong, wrong by far. Of the settings that are vivid enough the one nearest to the
truth is taken; the most vivid of those that still gain 1.75 dB (0.5, 1.3) made kitchens orange.
"""

from dataclasses import dataclass
from itertools import product

import torch

from darkroom.networks.lite import LiteGenerator
from training.colour_loss import gains_over_grey, halved, judge, to_rgb, vividness
from training.colour_photos import Squares

TEMPERATURES = (1.0, 0.7, 0.5, 0.35)
SATURATIONS = (1.0, 1.15, 1.3, 1.45)
LEAST_GAIN_DB = 1.75  # asked for are 1.5 over all photos that bear colour
LEAST_VIVID, MOST_VIVID = 0.7, 0.95  # colourfulness as a share of the truth's; asked: 0.6 … 1.1


@dataclass(frozen=True)
class Setting:
    temperature: float
    saturation: float
    gain_db: float  # PSNR over grey's
    vivid: float  # colourfulness as a share of the truth's


@torch.inference_mode()
def try_settings(network: LiteGenerator, batches: list[Squares]) -> list[Setting]:
    """Measure every setting on `batches`, at half the squares' size."""
    settings = list(product(TEMPERATURES, SATURATIONS))
    sums = torch.zeros(len(settings), 2)
    true_sum, count = 0.0, 0
    for squares in batches:
        logits, luma = judge(network, squares), halved(squares.luma)
        truth = to_rgb(luma, squares.chroma).clamp(0, 1)
        true_sum += float(vividness(truth).sum())
        count += len(luma)
        for row, (temperature, saturation) in enumerate(settings):
            pictures = to_rgb(luma, saturation * network.decide(logits, temperature)).clamp(0, 1)
            measures = (gains_over_grey(pictures, squares), vividness(pictures))
            sums[row] += torch.stack([m.sum().cpu() for m in measures])
    rows = (sums / count).tolist()
    vivid = true_sum / count
    return [
        Setting(t, s, gain, ours / vivid)
        for (t, s), (gain, ours) in zip(settings, rows, strict=True)
    ]


def choose(settings: list[Setting]) -> Setting:
    """The highest gain of those within bounds.

    Raises:
        ValueError: no setting keeps them: the network is not trained yet.
    """
    good = [
        s for s in settings if s.gain_db >= LEAST_GAIN_DB and LEAST_VIVID <= s.vivid <= MOST_VIVID
    ]
    if not good:
        raise ValueError("no temperature and saturation keep the bounds")
    return max(good, key=lambda setting: setting.gain_db)
