"""The photos that go through a model server before it calls itself ready."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from darkroom.imaging.codec import encode
from darkroom.imaging.photo import Format, Photo, Pixels

TINY, EVERYDAY = (96, 64), (1280, 960)  # width, height


def warming_photos() -> Iterator[bytes]:
    """Real files: tiny ones of each format, then an everyday one.

    What is compiled or set up on first use is by the tiny ones; the last one runs as in service.
    """
    for kind in (Format.PNG, Format.WEBP, Format.JPEG):
        yield encode(Photo(_pixels(*TINY), kind))
    yield encode(Photo(_pixels(*EVERYDAY), Format.JPEG))


def _pixels(width: int, height: int) -> Pixels:
    """A soft gradient with a little grain; in 8 bits throughout, which takes least memory."""
    across = np.linspace(40, 150, width).astype(np.uint8)
    down = np.linspace(0, 60, height).astype(np.uint8)
    grain = np.random.default_rng(0).integers(0, 12, (height, width, 1), np.uint8)
    grey = (across + down[:, None])[:, :, None] + grain
    return np.asarray(grey + np.array([16, 8, 0], np.uint8))


class WarmingContext:
    """Takes a handler's replies and keeps their statuses."""

    def __init__(self) -> None:
        self.status = 200

    def get_all_request_header(self, idx: int) -> Mapping[str, Any]:  # noqa: ARG002
        return {}

    def set_response_status(self, code: int, phrase: str, idx: int) -> None:  # noqa: ARG002
        self.status = code

    def set_response_content_type(self, idx: int, value: str) -> None: ...

    def set_response_header(self, idx: int, key: str, value: str) -> None: ...
