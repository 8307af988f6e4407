"""Pictures of every kind that the service takes, small, to be spoilt."""

import numpy as np
from PIL import Image

from tests.imaging.forge import forge_exif, forge_profile, mutate
from tests.photos import to_bytes
from tests.rooms import draw_room

_ROOM = draw_room(7, 160, 120)
_TOLD = {
    "exif": b"Exif\0\0" + forge_exif(6, thumbnail=b"\xff\xd8\xff"),
    "icc_profile": forge_profile(),
}
_WITH_ALPHA = np.dstack([_ROOM, _ROOM[:, :, 0]])

PICTURES = (
    to_bytes(_ROOM),
    to_bytes(_ROOM, progressive=True, subsampling=0),
    to_bytes(_ROOM, **_TOLD),
    to_bytes(Image.fromarray(_ROOM).convert("L")),
    to_bytes(Image.fromarray(_ROOM).convert("CMYK")),
    to_bytes(_ROOM, "png"),
    to_bytes(_WITH_ALPHA, "png", **_TOLD),
    to_bytes(Image.fromarray(_ROOM).convert("P"), "png"),
    to_bytes(Image.fromarray(_ROOM[:, :, 0].astype(np.uint16) * 257), "png"),
    to_bytes(_ROOM, "webp"),
    to_bytes(_ROOM, "webp", **_TOLD),
    to_bytes(_WITH_ALPHA, "webp", lossless=True),
)


def spoilt(number: int) -> bytes:
    """The picture of this number, always the same one, with up to five changes."""
    return mutate(PICTURES[number % len(PICTURES)], np.random.default_rng(number))
