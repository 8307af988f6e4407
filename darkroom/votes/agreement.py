"""How far people who judged the same pairs agree."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance: 1 complete, 0 as by chance, below 0 systematic disagreement.

    Each unit holds the values its judges gave it, in any number; those with fewer than two say
    nothing. For nominal values, after K. Krippendorff, "Computing Krippendorff's Alpha-Reliability"
    (2011), section C. None where all values are equal: then chance explains everything.
    """
    together: defaultdict[tuple[Hashable, Hashable], float] = defaultdict(float)
    for unit in units:
        counts = Counter(unit)
        for one, of_one in counts.items():
            for other, of_other in counts.items():
                if ways := of_one * (of_other - (one == other)):
                    together[one, other] += ways / (len(unit) - 1)
    totals: defaultdict[Hashable, float] = defaultdict(float)
    for (one, _), weight in together.items():
        totals[one] += weight
    number = sum(totals.values())
    by_chance = number**2 - sum(total**2 for total in totals.values())
    if not by_chance:
        return None
    observed = sum(weight for (one, other), weight in together.items() if one != other)
    return 1 - (number - 1) * observed / by_chance


def equal_share(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Of two judges of the same unit, how often they gave the same value; None without any two."""
    equal = ways = 0
    for unit in units:
        equal += sum(count * (count - 1) for count in Counter(unit).values())
        ways += len(unit) * (len(unit) - 1)
    return equal / ways if ways else None
