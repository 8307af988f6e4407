"""What a colorizer is trained on: a loss over its distribution of colours that knows rare ones.

Most of every photo is nearly grey, and a network rewarded for the average place ends in brown. So
rare colours weigh more, if not as much as Zhang et al. (2016, arXiv:1603.08511) give them: their
full rebalancing looks vivid and is further from the truth than grey.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.networks.lite import KNOTS, LiteGenerator, normalise
from training.colour_photos import Squares, as_square, read_once, stack
from training.perception import Perception

REBALANCING = 0.4  # exponent on the rarity: 0 none, 1 every colour counts the same
ANNEALED = 0.6  # temperature at which pictures are judged
NEAR, FELT = 8.0, 1.0  # weights of the distance in chroma and in features, beside cross entropy
# U, V → what is to be added to luma for red, green, blue (BT.601, OpenCV's digits).
_TO_RGB = ((0.0, 1.140), (-0.395, -0.581), (2.032, 0.0))


def share_out(chroma: Tensor) -> tuple[Tensor, Tensor]:
    """Share each chroma (N, 2, H, W) among the four colours around it.

    Returns indices (N, 4, H, W) int64 and shares of the same shape, which sum to 1. The mean of the
    colours, so weighted, is the chroma itself.
    """
    knots = chroma.new_tensor(KNOTS)
    inside = chroma.clamp(KNOTS[0], KNOTS[-1]).contiguous()
    low = (torch.bucketize(inside, knots, right=True) - 1).clamp(0, len(KNOTS) - 2)
    high_share = (inside - knots[low]) / (knots[low + 1] - knots[low])
    indices, shares = [], []
    for u in (0, 1):
        for v in (0, 1):
            indices.append((low[:, 0] + u) * len(KNOTS) + low[:, 1] + v)
            in_u = high_share[:, 0] if u else 1 - high_share[:, 0]
            in_v = high_share[:, 1] if v else 1 - high_share[:, 1]
            shares.append(in_u * in_v)
    return torch.stack(indices, dim=1), torch.stack(shares, dim=1)


def count_colours(photos: Iterable[Path]) -> Tensor:
    """How common each of the colours is in `photos`, (169,) float32, sums to 1."""
    counts = torch.zeros(len(KNOTS) ** 2)
    for path in photos:
        _, _, chroma = as_square(read_once(path), 128, None)
        indices, shares = share_out(torch.from_numpy(chroma[None]))
        counts.index_add_(0, indices.flatten(), shares.flatten())
    return counts / counts.sum()


def rarity_of(common: Tensor) -> Tensor:
    """The weight of each colour, (169,); 1 on average over the places of the photos."""
    mixed = 0.5 * common + 0.5 / len(common)
    weights = mixed**-REBALANCING
    return weights / (weights * common).sum()


def to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    """(N, H, W) luma and (N, 2, h, w) chroma → (N, 3, H, W) sRGB, clipped with a slope beyond."""
    chroma = F.interpolate(chroma, luma.shape[1:], mode="bilinear", align_corners=False)
    rgb = luma[:, None] + torch.einsum("kc,nchw->nkhw", chroma.new_tensor(_TO_RGB), chroma)
    inside = rgb.clamp(0, 1)
    return inside + 0.05 * (rgb - inside)


def halved(luma: Tensor) -> Tensor:
    return F.avg_pool2d(luma[:, None], 2)[:, 0]


def judge(network: LiteGenerator, squares: Squares) -> Tensor:
    """The logits for aged squares, computed in bfloat16."""
    with torch.autocast(squares.aged.device.type, torch.bfloat16):
        logits = network.judge(normalise(squares.aged).to(memory_format=torch.channels_last))
    return logits.float()


def content_loss(
    network: LiteGenerator,
    perception: Perception,
    rarity: Tensor,
    logits: Tensor,
    squares: Squares,
) -> Tensor:
    """Cross entropy and distance of all squares, and the SqueezeNet distance of the first half."""
    indices, shares = share_out(squares.chroma)
    weights = (rarity[indices] * shares).sum(dim=1)
    likely = F.log_softmax(logits, dim=1)
    entropy = -(weights * (likely.gather(1, indices) * shares).sum(dim=1)).mean()
    mean = torch.einsum("nkhw,kc->nchw", likely.exp(), network.colours)
    near = (weights * ((mean - squares.chroma).square().sum(dim=1) + 1e-4).sqrt()).mean()
    some = slice(0, (len(logits) + 1) // 2)  # features cost as much as half of all the rest
    luma = halved(squares.luma[some])
    pictures = to_rgb(luma, network.decide(logits[some], ANNEALED))
    with torch.autocast(luma.device.type, torch.bfloat16):
        felt: Tensor = perception(pictures, to_rgb(luma, squares.chroma[some])).mean()
    return entropy + NEAR * near + FELT * felt


def colour_loss(
    network: LiteGenerator, perception: Perception, rarity: Tensor, squares: Squares
) -> Tensor:
    """What a generator is trained on without a critic."""
    return content_loss(network, perception, rarity, judge(network, squares), squares)


def gains_over_grey(pictures: Tensor, squares: Squares) -> Tensor:
    """PSNR over that of grey, dB, of pictures at half size, (N,)."""
    luma = halved(squares.luma)
    truth = to_rgb(luma, squares.chroma).clamp(0, 1)
    grey = (luma[:, None] - truth).square().mean(dim=(1, 2, 3))
    ours = (pictures.clamp(0, 1) - truth).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10((grey + 1e-6) / (ours + 1e-6))


def vividness(pictures: Tensor) -> Tensor:
    """Hasler and Süsstrunk's colourfulness (darkroom.imaging.metrics) of (N, 3, H, W), (N,)."""
    red, green, blue = (255 * pictures.clamp(0, 1)).unbind(dim=1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], dim=1).flatten(2)
    spread = opponents.std(dim=2).square().sum(dim=1).sqrt()
    return spread + 0.3 * opponents.mean(dim=2).square().sum(dim=1).sqrt()


def validation_squares(photos: tuple[Path, ...], count: int, side: int) -> Squares:
    """Every n-th of `photos` as it is, neither cropped nor aged."""
    chosen = photos[:: max(1, len(photos) // count)][:count]
    return stack([as_square(read_once(path), side, None) for path in chosen])


@torch.no_grad()
def measure(network: LiteGenerator, held_out: Squares, device: torch.device) -> float:
    """Minus the mean gain over grey in dB, at temperature 1; prints it at others as well."""
    network.eval()
    parts = [slice(i, i + 16) for i in range(0, len(held_out.luma), 16)]
    table: dict[float, tuple[float, float]] = {}
    chunks = [
        Squares(held_out.aged[p], held_out.luma[p], held_out.chroma[p]).to(device) for p in parts
    ]
    logits = [judge(network, chunk) for chunk in chunks]
    for temperature in (1.0, ANNEALED, 0.4):
        gains, ours, true = [], [], []
        for chunk, likely in zip(chunks, logits, strict=True):
            pictures = to_rgb(halved(chunk.luma), network.decide(likely, temperature))
            gains.append(gains_over_grey(pictures, chunk))
            ours.append(vividness(pictures))
            true.append(vividness(to_rgb(halved(chunk.luma), chunk.chroma)))
        ratio = float(torch.cat(ours).mean() / torch.cat(true).mean())
        table[temperature] = (float(torch.cat(gains).mean()), ratio)
    print({t: f"{gain:+.2f} dB, {ratio:.2f} as colourful" for t, (gain, ratio) in table.items()})
    return -table[1.0][0]
