"""The manual sliders in the model server `tone`: no network has a say in them."""

import dataclasses

from pydantic import ValidationError

from darkroom.contracts.adjust import Adjustments
from darkroom.contracts.errors import MalformedRequest
from darkroom.contracts.headers import ADJUST
from darkroom.imaging.adjust import adjust, turn
from darkroom.imaging.photo import Photo
from handlers.slot import Slot, timed


def is_adjusting(slot: Slot) -> bool:
    """Whether the request is for the sliders instead of a step."""
    return ADJUST.lower() in slot.headers


def adjusted(slot: Slot) -> Photo:
    """The photo with its sliders turned; the very photo where all of them stand at 0.

    Raises:
        MalformedRequest: the header does not hold `Adjustments`.
    """
    try:
        adjustments = Adjustments.model_validate_json(slot.headers[ADJUST.lower()])
    except ValidationError as error:
        raise MalformedRequest(f"The header {ADJUST} does not hold adjustments.") from error
    if adjustments == Adjustments():
        return slot.photo
    with timed("apply_ms", slot):
        pixels = adjust(slot.photo.pixels, adjustments)
        alpha = slot.photo.alpha
        if alpha is not None and adjustments.straighten:
            alpha = turn(alpha, adjustments.straighten)
    return dataclasses.replace(slot.photo, pixels=pixels, alpha=alpha)
