"""How large a square to find a photo's colours on, and with which network.

Time and memory grow with the area of the square, a photo's short side bounds what it can show.
"""

from collections.abc import Collection
from dataclasses import dataclass

from darkroom.contracts.options import ColorModel
from darkroom.imaging.chroma import SIDE_STEP

LEAST, MOST = 7, 45
# Where neither photo nor time bound it: what the networks were made for. Ours was trained there;
# DeOldify's own default for photos is 35.
_PREFERRED = {ColorModel.ARTISTIC: 35, ColorModel.STABLE: 35, ColorModel.LITE: 16}
_WORTHWHILE = 16  # the least at which a better network is better than ours at its own size
# Nanoseconds for each pixel of a square, until measured: one core with bfloat16 units.
_FIRST_GUESS_NS = {ColorModel.ARTISTIC: 30_000, ColorModel.STABLE: 30_000, ColorModel.LITE: 700}
_LEARNING_RATE = 0.3
_AROUND_MS = 100  # for each megapixel of the photo: applying and encoding
_SHARE = 0.8  # of the time left that may be planned with


@dataclass(frozen=True)
class Rendering:
    """A network and its render factor; photos that share both go through it together."""

    model: ColorModel
    factor: int

    @property
    def side(self) -> int:
        return SIDE_STEP * self.factor


class Renderings:
    """Chooses, and learns from every call what the next one will cost."""

    def __init__(self) -> None:
        self._ns = dict(_FIRST_GUESS_NS)

    def learn(self, rendering: Rendering, count: int, ms: float) -> None:
        """`count` squares took `ms` together."""
        measured = ms * 1e6 / (count * rendering.side**2)
        self._ns[rendering.model] += round(_LEARNING_RATE * (measured - self._ns[rendering.model]))

    def choose(
        self,
        asked: ColorModel | None,
        factor: int | None,
        there: Collection[ColorModel],
        size: tuple[int, int],
        left_ms: float | None,
    ) -> Rendering:
        """What was asked for as far as it was; the rest by the photo's size and the time left.

        Without a bound on time the network is ours: no one is made to wait who did not ask for it.
        """
        if asked is None:
            asked = ColorModel.LITE
            for model in ColorModel:
                wanted = factor or min(_WORTHWHILE, self._by_size(model, size))
                if model in there and self._affordable(model, size, left_ms) >= wanted:
                    asked = model
                    break
        if factor is None:
            factor = self._by_size(asked, size)
            if left_ms is not None:
                factor = max(LEAST, min(factor, self._affordable(asked, size, left_ms)))
        return Rendering(asked, factor)

    def _by_size(self, model: ColorModel, size: tuple[int, int]) -> int:
        """No larger than the photo itself is, along its short side."""
        return max(LEAST, min(_PREFERRED[model], -(-min(size) // SIDE_STEP)))

    def _affordable(self, model: ColorModel, size: tuple[int, int], left_ms: float | None) -> int:
        if left_ms is None:
            return MOST if model is ColorModel.LITE else 0
        spare_ms = _SHARE * left_ms - _AROUND_MS * size[0] * size[1] / 1e6
        pixels = max(0.0, spare_ms) * 1e6 / self._ns[model]
        return min(MOST, int(pixels**0.5) // SIDE_STEP)


def smaller(rendering: Rendering) -> Rendering | None:
    """The next one to try when memory runs out: about half the area. None: there is none."""
    if rendering.factor <= LEAST:
        return None
    return Rendering(rendering.model, max(LEAST, int(rendering.factor * 0.7)))
