"""What measurements amount to: small sums that every benchmark shares."""

from collections.abc import Sequence

CORE_HOUR = 0.04  # dollars: about what clouds ask for one virtual core and its memory


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0…1) of them do not exceed; 0 where there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def dollars_per_1000(cpu_ms: float, core_hour: float = CORE_HOUR) -> float:
    """What 1000 photos cost that take so much CPU time each, at a rented core's price."""
    return cpu_ms / 3600 * core_hour


def slope_per_minute(samples: Sequence[tuple[float, float]]) -> float:
    """How fast a quantity grows, by least squares; samples are (seconds, quantity)."""
    if len(samples) < 2:
        return 0.0
    mean_s = sum(s for s, _ in samples) / len(samples)
    mean = sum(quantity for _, quantity in samples) / len(samples)
    spread = sum((s - mean_s) ** 2 for s, _ in samples)
    return 60 * sum((s - mean_s) * (quantity - mean) for s, quantity in samples) / spread
