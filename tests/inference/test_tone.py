import numpy as np
import pytest

from darkroom.contracts.defects import Defect
from darkroom.imaging.tone_map import apply_tone_map
from darkroom.inference.tone import Toner


def redden(*_):
    """Answer as a network would that brightens red more than the rest and mixes the channels."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    curves = np.stack([0.7 * levels**0.5, 0.6 * levels**0.5, 0.6 * levels**0.6])
    mixing = np.array([[1.4, 0.1, 0, 0.02], [0, 1.3, 0.2, 0], [0, 0.1, 1.4, 0]], np.float32)
    return curves[None], np.tile(mixing, (1, 8, 8, 1, 1))


GREYS = np.repeat(np.arange(192, dtype=np.uint8)[None, :, None], 192, axis=0).repeat(3, axis=2)


def tinge(pixels):
    """Mean distance between the brightest and the darkest channel, in levels."""
    return float(np.ptp(pixels.astype(int), axis=2).mean())


def lit(*defects):
    (tone_map,) = Toner(redden).plan([(GREYS, frozenset(defects))])
    return apply_tone_map(GREYS, tone_map)


def test_more_light_gives_greys_no_colour():
    """Asked for light alone, greys come out grey, and as light as the network has their green."""
    tinged = lit(Defect.LOW_LIGHT, Defect.HAZY)

    mended = lit(Defect.LOW_LIGHT)

    assert tinge(tinged) > 10
    assert tinge(mended) < 1
    assert mended.mean() == pytest.approx(tinged[..., 1].mean(), abs=1)


def test_casts_may_be_taken_from_greys():
    """Asked for white balance as well, the network is free to give greys a colour."""
    assert tinge(lit(Defect.LOW_LIGHT, Defect.POOR_WHITE_BALANCE)) > 10
