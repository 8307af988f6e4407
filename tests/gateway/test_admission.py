"""`gateway/admission.py`: how much is taken on at once."""

import pytest

from darkroom.contracts.errors import OverCapacity
from gateway.admission import Admission


def test_one_photo_too_many_is_refused():
    """The place is free again once a photo is done."""
    admission = Admission(max_in_flight=1, max_held_bytes=10)
    with admission.photo(), pytest.raises(OverCapacity), admission.photo():
        pass

    with admission.photo():
        assert admission.in_flight == 1
    assert admission.in_flight == 0


def test_bytes_of_all_requests_count_together():
    """Two bodies share one limit; a finished request gives its bytes back."""
    admission = Admission(max_in_flight=5, max_held_bytes=10)
    with admission.body() as first, admission.body() as second:
        first.add(6)
        second.add(4)
        with pytest.raises(OverCapacity):
            second.add(1)

    assert admission.held_bytes == 0
