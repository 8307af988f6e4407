"""The names of photos in shared memory, `darkroom/contracts/sharing.py`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from darkroom.contracts.sharing import PIXELS, Shared, new_request

GATEWAY = "0123456789abcdef"


def test_each_request_has_a_folder_of_its_own():
    """Below that of its gateway; the photo's companions lie beside it."""
    one, other = (new_request(GATEWAY, pixels=True) for _ in range(2))

    assert one.file(Path("/m")).parents[1] == Path("/m") / GATEWAY
    assert one.file(Path("/m")).parent != other.file(Path("/m")).parent
    assert one.file(Path("/m"), PIXELS).name == one.file(Path("/m")).name + ".pixels"


def test_another_photo_lies_in_the_same_folder():
    one = new_request(GATEWAY, pixels=True)

    assert one.another().file(Path("/m")).parent == one.file(Path("/m")).parent
    assert one.another().name != one.name
    assert one.another().pixels


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        f"{GATEWAY}/../{GATEWAY}/01234567",
        f"{GATEWAY}/{GATEWAY}/..",
        f"{GATEWAY}/{GATEWAY}/01234567/x",
        f"{GATEWAY}/{GATEWAY}/01234567\n",
        f"{GATEWAY.upper()}/{GATEWAY}/01234567",
    ],
)
def test_no_name_leads_out_of_the_folder(name):
    """Names come in headers: only those that are made here become paths."""
    with pytest.raises(ValidationError):
        Shared(name=name)
