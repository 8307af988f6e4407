import numpy as np
import torch

from darkroom.imaging.metrics import colourfulness
from darkroom.networks.lite import LiteGenerator
from tests.rooms import draw_room
from training.colour_loss import gains_over_grey, halved, share_out, to_rgb, vividness
from training.colour_photos import as_square, split_yuv, stack


def test_shared_colours_mean_the_chroma():
    """Four weighted colours stand for any chroma within the knots, exactly."""
    chroma = torch.rand(2, 2, 5, 7) * 0.8 - 0.4

    indices, shares = share_out(chroma)

    mean = torch.einsum("nkhw,nkhwc->nchw", shares, LiteGenerator().colours[indices])
    assert torch.allclose(mean, chroma, atol=1e-6)
    assert torch.allclose(shares.sum(dim=1), torch.ones(2, 5, 7))


def test_luma_and_chroma_give_the_picture_back():
    """The loss sees pictures in the same colours as the photo."""
    room = draw_room(3, 96, 64)
    luma, chroma = (torch.from_numpy(part)[None] for part in split_yuv(room))

    rgb = to_rgb(luma, chroma.permute(0, 3, 1, 2))

    assert np.abs(255 * rgb[0].permute(1, 2, 0).numpy() - room).max() < 1.5


def test_truth_gains_most_and_grey_nothing():
    """The gain over grey is zero for grey itself and large for the truth."""
    squares = stack([as_square(draw_room(seed, 96, 64), 64, None) for seed in range(2)])
    luma = halved(squares.luma)

    none = gains_over_grey(to_rgb(luma, 0 * squares.chroma), squares)
    full = gains_over_grey(to_rgb(luma, squares.chroma), squares)

    assert none.abs().max() < 0.01
    assert full.min() > 20


def test_vividness_is_colourfulness():
    """The differentiable measure agrees with the one of the reports."""
    room = draw_room(1, 96, 64)
    picture = torch.from_numpy(room).permute(2, 0, 1)[None].float() / 255

    assert abs(float(vividness(picture)) - colourfulness(room)) < 0.05
