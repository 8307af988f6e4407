"""Entry file of the archive `colorize`."""

import dataclasses
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from darkroom.contracts.errors import MalformedRequest, ModelMissing, OutOfMemory
from darkroom.contracts.headers import COLORIZE
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import ColorizeRequest
from darkroom.imaging.chroma import (
    Chroma,
    Colours,
    Luma,
    colour,
    colours_of,
    luma_of,
    square_of,
)
from darkroom.imaging.photo import Photo
from darkroom.imaging.views import thumbnail_of
from darkroom.inference.colorize import OFFICIAL, Colorizer, load_lite, load_official
from darkroom.inference.memory import is_out_of_memory
from darkroom.weights.folder import weights_file, weights_folder
from handlers.base import PhotoHandler
from handlers.rendering import Rendering, Renderings, smaller
from handlers.slot import Slot, timed

Grey = tuple[ColorizeRequest, Luma]  # what is asked for a photo, and its light
Colouring = tuple[Luma, Chroma, float]  # a photo's light, its colours, and how strong these are


class ColorizeHandler(PhotoHandler[Grey, Colouring | None]):
    """Give photos the colours that are likely for them: equal squares in one call of a network."""

    def load(self, weights: Path) -> None:
        self.folder = weights_folder(os.environ)
        self.colorizers = {ColorModel.LITE: load_lite(weights, self.device)}
        self.renderings = Renderings()

    def look(self, slot: Slot) -> Grey:
        return _request(slot), luma_of(slot.photo.pixels)

    def find(self, slots: Sequence[Slot], seen: Sequence[Grey]) -> list[Colouring | None]:
        groups: dict[Rendering, list[int]] = defaultdict(list)
        for index, (slot, (request, luma)) in enumerate(zip(slots, seen, strict=True)):
            # One level throughout, black and white above all, has nothing to tell colours by.
            if request.strength > 0 and luma.min() < luma.max():
                groups[self._choose(slot, request)].append(index)
        found: list[Colouring | None] = [None] * len(slots)
        for rendering, indices in groups.items():
            together = [slots[index] for index in indices]
            chromas = self._render(rendering, together, [seen[index][1] for index in indices])
            for index, chroma in zip(indices, chromas, strict=True):
                request, luma = seen[index]
                found[index] = luma, chroma, request.strength
        return found

    def apply(self, slot: Slot, found: Colouring | None) -> Photo:
        return dataclasses.replace(slot.photo) if found is None else _coloured(slot, *found)

    def _choose(self, slot: Slot, request: ColorizeRequest) -> Rendering:
        there = [ColorModel.LITE, *(m for m in OFFICIAL if self._file(m).is_file())]
        if request.model not in (None, *there):
            name = request.model
            raise ModelMissing(
                f"The weights of {name} are not here. `darkroom weights fetch {name}` gets them."
            )
        height, width = slot.photo.pixels.shape[:2]
        return self.renderings.choose(
            request.model, request.render_factor, there, (width, height), slot.left_ms
        )

    def _render(
        self, rendering: Rendering, slots: Sequence[Slot], lumas: Sequence[Luma]
    ) -> list[Chroma]:
        """The chroma of every photo; on a smaller square if memory does not suffice.

        Raises:
            OutOfMemory: not even for the smallest one.
            ModelMissing: the weights there are damaged.
        """
        with timed("network_ms", *slots):
            colorizer = self._colorizer(rendering.model)
            began, tried = time.perf_counter(), rendering
            while True:
                try:
                    chromas = colorizer.colorize([square_of(luma, tried.side) for luma in lumas])
                    break
                except (MemoryError, RuntimeError) as error:
                    if not is_out_of_memory(error):
                        raise
                    less = smaller(tried)
                    if less is None or len(slots) > 1:  # of several, each is tried alone first
                        raise OutOfMemory() from error
                    tried = less
        self.renderings.learn(tried, len(slots), (time.perf_counter() - began) * 1000)
        for slot in slots:
            slot.note("model", rendering.model)
            slot.note("render_factor", tried.factor)
            if tried != rendering:
                slot.note("short_of_memory", f"render factor {rendering.factor} was too large")
        return chromas

    def _colorizer(self, model: ColorModel) -> Colorizer:
        """Loaded at its first photo: most servers never need the large ones."""
        if model not in self.colorizers:
            try:
                loaded = load_official(self._file(model), model, self.device)
            except RuntimeError as error:  # WrongWeights, and what OpenVINO says of a broken file
                if is_out_of_memory(error):
                    raise OutOfMemory() from error
                raise ModelMissing(
                    f"The weights of {model} are damaged. `darkroom weights fetch {model}` again."
                ) from error
            self.colorizers[model] = loaded
        return self.colorizers[model]

    def _file(self, model: ColorModel) -> Path:
        return weights_file(self.folder, model)


def _request(slot: Slot) -> ColorizeRequest:
    text = slot.headers.get(COLORIZE.lower())
    if text is None:
        return ColorizeRequest()
    try:
        return ColorizeRequest.model_validate_json(text)
    except ValidationError as error:
        raise MalformedRequest(f"The header {COLORIZE} is not a colorization.") from error


def _coloured(slot: Slot, luma: Luma, chroma: Chroma, strength: float) -> Photo:
    """The photo with its new chroma; alpha, metadata and format stay as they are."""
    with timed("apply_ms", slot):
        colours = colours_of(thumbnail_of(slot.photo.pixels))
        if colours is Colours.OWN:
            slot.note("recoloured", "it had colours of its own")
        elif colours is Colours.TONED:
            slot.note("toned", "its tint was taken off")
        pixels = colour(slot.photo.pixels, luma, chroma, strength)
    return dataclasses.replace(slot.photo, pixels=np.ascontiguousarray(pixels))
