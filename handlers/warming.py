"""The photos that go through a model server before it calls itself ready."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from darkroom.imaging.codec import encode
from darkroom.imaging.photo import Format, Photo

SIZES = ((96, 64), (1280, 960))  # width, height: a tiny photo and an everyday one


def warming_photos() -> Iterator[bytes]:
    """Real files, of each format and size: a soft gradient with a little grain."""
    random = np.random.default_rng(0)
    for width, height in SIZES:
        # In 8 bits throughout: what is allocated here stays in the worker's memory for good.
        across = np.linspace(40, 150, width).astype(np.uint8)
        down = np.linspace(0, 60, height).astype(np.uint8)
        grain = random.integers(0, 12, (height, width, 1), np.uint8)
        pixels = (across + down[:, None])[:, :, None] + grain + np.array([16, 8, 0], np.uint8)
        yield encode(Photo(pixels, Format.JPEG))
    for other in (Format.PNG, Format.WEBP):
        yield encode(Photo(pixels[:64, :96].copy(), other))


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
