"""What decoding and encoding a photo costs here: the floor under every measurement.

Machines differ and are seldom idle. The bounds were set where the floor is `FLOOR_THERE_MS`: beside
a time as it is here may stand what it would be there, that time over the floor's ratio.
"""

import statistics
import time

import simplejpeg

from benchmark.photos import SIZES, make_photo

FLOOR_THERE_MS = {"1.2 Mpx": 6.1, "12 Mpx": 67.0}


def recode(payload: bytes) -> None:
    """Decode a JPEG and encode it again, q90, 4:2:0."""
    simplejpeg.encode_jpeg(simplejpeg.decode_jpeg(payload), quality=90, colorsubsampling="420")


def floor_ms(rounds: int = 25) -> float:
    """Median CPU milliseconds that the floor of a photo of 1280×960 takes here."""
    photo, times = make_photo("coffee", *SIZES["1.2 Mpx"]), []
    for _ in range(rounds):
        spent = time.process_time()
        recode(photo)
        times.append((time.process_time() - spent) * 1000)
    return statistics.median(times)


def slower_than_there() -> float:
    """How many times the CPU time of there that is."""
    return floor_ms() / FLOOR_THERE_MS["1.2 Mpx"]
