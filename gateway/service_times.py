"""How long a model server's replica is taken up by a photo of a given size, as measured of late."""

import math
from bisect import bisect_left, insort
from collections import defaultdict, deque

WINDOW = 64  # photos: long enough for a tenth of them to mean something, short enough to follow


class Window:
    """The last values of a quantity, with their mean and quantiles."""

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._values: deque[float] = deque()
        self._sorted: list[float] = []
        self._sum = 0.0

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        self._values.append(value)
        insort(self._sorted, value)
        self._sum += value
        if len(self._values) > self._size:
            oldest = self._values.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
            self._sum -= oldest

    @property
    def mean(self) -> float:
        return max(0.0, self._sum / len(self._values))

    def quantile(self, share: float) -> float:
        """The value that `share` (0…1) of those kept do not exceed."""
        return self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))]


class ServiceTimes:
    """Milliseconds by size of photo, and by network where a model server has several.

    Cost is neither flat nor proportional to pixels (a small photo pays the network, a large one its
    decoding), so sizes are told apart in powers of two; a size never seen borrows from the nearest.
    Of a network nobody has asked for yet nothing is known: another may be twenty times as fast.
    """

    def __init__(self) -> None:
        self._windows: defaultdict[str, dict[int, Window]] = defaultdict(dict)  # network → size

    def learn(self, megapixels: float, ms: float, network: str = "") -> None:
        self._windows[network].setdefault(_size_class(megapixels), Window()).add(ms)

    def mean_ms(self, megapixels: float, network: str = "") -> float:
        """What a photo of this size costs on average; 0 where nothing is known."""
        window, scale = self._nearest(megapixels, network)
        return window.mean * scale if window else 0.0

    def quantile_ms(self, megapixels: float, share: float, network: str = "") -> float:
        window, scale = self._nearest(megapixels, network)
        return window.quantile(share) * scale if window else 0.0

    def count(self, megapixels: float, network: str = "") -> int:
        """Photos of about this size among those kept."""
        return len(self._windows[network].get(_size_class(megapixels), ()))

    def _nearest(self, megapixels: float, network: str) -> tuple[Window | None, float]:
        windows = self._windows[network]
        if not windows:
            return None, 0.0
        wanted = _size_class(megapixels)
        nearest = min(windows, key=lambda known: (abs(known - wanted), known))
        return windows[nearest], 2.0 ** (wanted - nearest)


def _size_class(megapixels: float) -> int:
    """0 up to one megapixel, then one class for each doubling: 1.2 is in 1, 12 is in 4."""
    return math.ceil(math.log2(max(megapixels, 1.0)))
