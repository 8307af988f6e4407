import numpy as np
import pytest

from darkroom.contracts.defects import MENDS, Defect, Enhancer
from darkroom.imaging.tone_map import ToneMap, apply_tone_map
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


VEIL, LIGHT = 0.5, 0.05  # of the range


def unveil(thumbnails, _, asked):
    """Answer as a network would that takes a veil away, and gives light to what is dark."""
    names = MENDS[Enhancer.TONE]
    hazy, dark = (asked[:, names.index(d)] for d in (Defect.HAZY, Defect.LOW_LIGHT))
    cleared = thumbnails.mean(axis=(1, 2, 3)) / 255 - VEIL * hazy
    added = np.where(cleared < 1 / 3, LIGHT * dark, 0) - VEIL * hazy
    identity = ToneMap.identity()
    curves = identity.curves + added[:, None, None]
    return curves.astype(np.float32), np.stack([identity.grid] * len(asked))


def without_haze(level):
    """What becomes of this level under the veil, where haze is all that was found."""
    hazy = np.full((192, 192, 3), round(level + 255 * VEIL), np.uint8)
    (tone_map,) = Toner(unveil).plan([(hazy, frozenset({Defect.HAZY}))])
    return apply_tone_map(hazy, tone_map).mean()


def test_darkness_under_haze_gets_light():
    """What turns out dark without its haze comes out as light as if light had been asked for."""
    assert without_haze(20) == pytest.approx(20 + 255 * LIGHT, abs=1)


def test_haze_alone_is_mended_where_it_hid_nothing_dark():
    """What is light enough without its haze comes out as it was before the haze."""
    assert without_haze(110) == pytest.approx(110, abs=1)


def test_what_is_hardly_dark_under_haze_gets_part_of_the_light():
    """Light is given by how much is missing, so that there is no jump from none to all of it."""
    assert 80 + 3 < without_haze(80) < 80 + 255 * LIGHT - 3
