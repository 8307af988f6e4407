"""The photos of a trial: drawn rooms with a defect made on purpose, so that the truth is known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contracts.defects import ENHANCER_OF, Defect
from darkroom.contracts.headers import COLORIZE, STEP
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import ColorizeRequest, StepRequest
from darkroom.imaging.codec import encode
from darkroom.imaging.colour import without_colour
from darkroom.imaging.photo import Format, Photo, Pixels

TINY, EVERYDAY = (240, 160), (1280, 960)  # width, height
SCENES = 3
_STOPS, _SIGMA, _DEGREES = 3.0, 30.0, 8.0

_Light = NDArray[np.float64]  # (H, W, 3) linear, 0…1


@dataclass(frozen=True)
class Sample:
    """A photo to send, how to ask for it, and what it was before it was spoilt."""

    payload: bytes
    headers: dict[str, str]
    clean: Pixels  # as large as the photo
    defect: Defect | None  # what was made on purpose


@cache
def samples_for(model: str, size: tuple[int, int]) -> tuple[Sample, ...]:
    """Photos of `size` (width, height) that show what a model server is there for.

    Raises:
        ValueError: there is no such model server.
    """
    rooms = [_room(seed, *size) for seed in range(SCENES)]
    if model == "defects":
        asked: tuple[Defect | None, ...] = (*_SPOIL, None)
        return tuple(_sample(room, defect, {}) for room in rooms for defect in asked)
    if model == "colorize":
        request = ColorizeRequest(model=ColorModel.LITE, render_factor=10)
        headers = {COLORIZE: request.model_dump_json(exclude_none=True)}
        return tuple(Sample(_encoded(without_colour(room)), headers, room, None) for room in rooms)
    mended = [defect for defect in _SPOIL if ENHANCER_OF[defect] == model]
    if not mended:
        raise ValueError(f"there is no model server {model}")
    return tuple(_sample(room, defect, _step(defect)) for room in rooms for defect in mended)


def _sample(room: Pixels, defect: Defect | None, headers: dict[str, str]) -> Sample:
    spoilt = room if defect is None else _SPOIL[defect](room)
    clean = _turned(room, 0) if defect is Defect.ROTATION else room
    return Sample(_encoded(spoilt), headers, clean, defect)


def _step(defect: Defect) -> dict[str, str]:
    step = StepRequest(enhancer=ENHANCER_OF[defect], defects={defect: 0.8})
    return {STEP: step.model_dump_json(exclude_defaults=True)}


def _encoded(pixels: Pixels) -> bytes:
    return encode(Photo(pixels, Format.JPEG))


def linear(pixels: Pixels) -> _Light:
    """Linear light of sRGB, by the power of 2.2 that is near enough for comparisons."""
    return (pixels / 255.0) ** 2.2


def _from_linear(light: _Light) -> Pixels:
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def _darkened(pixels: Pixels) -> Pixels:
    return _from_linear(linear(pixels) / 2**_STOPS)


def _noised(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(1).normal(0, _SIGMA, pixels.shape)
    return np.rint(np.clip(pixels + noise, 0, 255)).astype(np.uint8)


def _turned(pixels: Pixels, degrees: float = _DEGREES) -> Pixels:
    """Turned about its middle, and magnified so that at `_DEGREES` no corner is empty."""
    height, width = pixels.shape[:2]
    most = np.deg2rad(_DEGREES)
    larger = np.cos(most) + np.sin(most) * max(width / height, height / width)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, float(larger))
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC))


_SPOIL: dict[Defect, Callable[[Pixels], Pixels]] = {
    Defect.LOW_LIGHT: _darkened,
    Defect.NOISY: _noised,
    Defect.ROTATION: _turned,
}
MADE = frozenset(_SPOIL)  # the defects that photos of a trial are known to have or not to have


def _room(seed: int, width: int, height: int) -> Pixels:
    """A wall with window, picture and sofa above a floor of boards; a seed is a room."""
    rng = np.random.default_rng(seed)
    light = np.empty((height, width, 3))
    light[:] = rng.uniform(0.4, 0.6) * np.array([1.05, 1.0, 0.92])
    floor = rng.uniform(0.62, 0.72)

    def box(left: float, top: float, wide: float, tall: float, *colour: float) -> None:
        rows = slice(round(top * height), round((top + tall) * height))
        columns = slice(round(left * width), round((left + wide) * width))
        light[rows, columns] = colour

    for number in range(10):
        shade = rng.uniform(0.8, 1.2)
        box(number / 10, floor, 0.1, 1 - floor, 0.34 * shade, 0.2 * shade, 0.1 * shade)
    box(0, floor - 0.02, 1, 0.02, 0.75, 0.74, 0.7)
    window = rng.uniform(0.08, 0.25)
    box(window, 0.14, 0.24, 0.34, 0.8, 0.8, 0.78)
    for column in range(2):
        box(window + 0.01 + 0.115 * column, 0.16, 0.105, 0.3, 0.55, 0.72, 0.95)
    picture = rng.uniform(0.55, 0.75)
    box(picture, 0.2, 0.16, 0.2, 0.05, 0.05, 0.05)
    box(picture + 0.01, 0.215, 0.14, 0.17, *rng.uniform(0.05, 0.6, 3))
    sofa = rng.uniform(0.35, 0.5)
    box(sofa, floor - 0.12, 0.36, 0.22, *rng.uniform(0.05, 0.4, 3))
    box(sofa, floor, 0.36, 0.1, *rng.uniform(0.03, 0.2, 3))
    fall_off = 1 - 0.4 * np.abs(np.linspace(0, 1, width) - window - 0.12)[None, :, None]
    grain = rng.normal(0, 0.006, (height, width, 1))
    return _from_linear(light * fall_off + grain)
