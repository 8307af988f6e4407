"""How vivid the trained colorizer is to be: fits its temperature and saturation.

The mean of what is likely is nearest to the truth in PSNR and pale; the likeliest colour is vivid
and, where it is wrong, wrong by far. Among the settings that keep both bounds the one whose
pictures look most like the true ones to a SqueezeNet is taken.
"""

from dataclasses import dataclass
from itertools import product

import torch

from darkroom.networks.lite import LiteGenerator
from training.colour_loss import gains_over_grey, halved, judge, to_rgb, vividness
from training.colour_photos import Squares
from training.perception import Perception

TEMPERATURES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2)
SATURATIONS = (1.0, 1.15, 1.3, 1.45)
LEAST_GAIN_DB = 1.7  # the bound is 1.5, over all photos that bear colour
LEAST_VIVID, MOST_VIVID = 0.7, 0.95  # colourfulness as a share of the truth's; bounds 0.6 and 1.1


@dataclass(frozen=True)
class Setting:
    temperature: float
    saturation: float
    gain_db: float  # PSNR over grey's
    vivid: float  # colourfulness as a share of the truth's
    distance: float  # SqueezeNet distance to the truth


@torch.inference_mode()
def try_settings(
    network: LiteGenerator, perception: Perception, batches: list[Squares]
) -> list[Setting]:
    """Measure every setting on `batches`, at half the squares' size."""
    settings = list(product(TEMPERATURES, SATURATIONS))
    sums = torch.zeros(len(settings), 3)
    true_sum, count = 0.0, 0
    for squares in batches:
        logits, luma = judge(network, squares), halved(squares.luma)
        truth = to_rgb(luma, squares.chroma).clamp(0, 1)
        true_sum += float(vividness(truth).sum())
        count += len(luma)
        for row, (temperature, saturation) in enumerate(settings):
            pictures = to_rgb(luma, saturation * network.decide(logits, temperature)).clamp(0, 1)
            measures = (
                gains_over_grey(pictures, squares),
                vividness(pictures),
                perception(pictures, truth),
            )
            sums[row] += torch.stack([m.sum().cpu() for m in measures])
    rows = (sums / count).tolist()
    vivid = true_sum / count
    return [
        Setting(t, s, gain, ours / vivid, distance)
        for (t, s), (gain, ours, distance) in zip(settings, rows, strict=True)
    ]


def choose(settings: list[Setting]) -> Setting:
    """The nearest in SqueezeNet distance of those within bounds.

    Raises:
        ValueError: no setting keeps them: the network is not trained yet.
    """
    good = [
        s for s in settings if s.gain_db >= LEAST_GAIN_DB and LEAST_VIVID <= s.vivid <= MOST_VIVID
    ]
    if not good:
        raise ValueError("no temperature and saturation keep the bounds")
    return min(good, key=lambda setting: setting.distance)
