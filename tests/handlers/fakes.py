"""A context in place of a model server's, and a handler whose network answers at once."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from darkroom.imaging.photo import Photo
from handlers.base import PhotoHandler
from handlers.slot import Slot
from tests.photos import to_bytes


class FakeContext:
    """Takes what a handler says of each reply; `headers` are those of each request."""

    def __init__(self, *headers: dict[str, Any]) -> None:
        self.headers = headers
        self.status: dict[int, int] = {}
        self.media_type: dict[int, str] = {}
        self.replied: dict[tuple[int, str], str] = {}

    def get_all_request_header(self, idx: int) -> dict[str, Any]:
        return self.headers[idx] if idx < len(self.headers) else {}

    def set_response_status(self, code: int, phrase: str, idx: int) -> None:
        assert phrase
        self.status[idx] = code

    def set_response_content_type(self, idx: int, value: str) -> None:
        self.media_type[idx] = value

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        self.replied[idx, key] = value


class FakeArchive:
    """An unpacked archive with eight bytes for weights."""

    def __init__(self, folder: Path) -> None:
        self.weights = folder / "fake.safetensors"
        self.weights.write_bytes(b"weights!")
        digest = hashlib.sha256(b"weights!").hexdigest()
        self.system_properties = {"model_dir": str(folder), "gpu_id": None}
        self.manifest = {
            "model": {
                "modelName": "fake",
                "modelVersion": "1.0",
                "serializedFile": self.weights.name,
            }
        }
        self.model_yaml_config = {"handler": {"sha256": {self.weights.name: digest}}}


class FakeHandler(PhotoHandler[None, None]):
    """Gives equal photos back, unless `work` has another idea; counts what it saw."""

    def __init__(self, work: Callable[[Slot], Photo] = lambda slot: replace(slot.photo)) -> None:
        self.work = work
        self.loaded = False
        self.calls: list[int] = []

    def load(self, weights: Path) -> None:
        self.loaded = weights.is_file()

    def look(self, slot: Slot) -> None: ...

    def find(self, slots: Sequence[Slot], seen: Sequence[None]) -> Sequence[None]:
        self.calls.append(len(slots))
        return seen

    def apply(self, slot: Slot, found: None) -> Photo:  # noqa: ARG002
        return self.work(slot)


def a_picture(seed: int = 0, width: int = 64, height: int = 48) -> np.ndarray:
    random = np.random.default_rng(seed)
    tile = random.integers(40, 200, (height // 8, width // 8, 3), np.uint8)
    return tile.repeat(8, axis=0).repeat(8, axis=1)


def a_body(seed: int = 0) -> dict[str, Any]:
    """A request as a model server hands it on: the body under its usual name."""
    return {"body": bytearray(to_bytes(a_picture(seed)))}
