import re

import pytest

from darkroom.contracts import errors
from darkroom.contracts.errors import ERROR_OF_CODE, ServiceError

CLASSES = list(ERROR_OF_CODE.values())
LINE = re.compile(r"^([ │├└─]*)(\w+) (\d{3}) (\w+)$", re.MULTILINE)


def drawn_tree() -> list[tuple[int, str, int, str]]:
    """(depth, class, status, code) of each line of the module's docstring."""
    lines = LINE.findall(errors.__doc__ or "")
    return [(len(branch) // 4, name, int(status), code) for branch, name, status, code in lines]


def real_tree(error: type[ServiceError] = ServiceError, depth: int = 0):
    yield depth, error.__name__, error.status, error.code
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:  # parts may refine a class among themselves
            yield from real_tree(child, depth + 1)


def test_docstring_draws_the_tree_as_it_is():
    """Whoever reads the module's head sees every class, its parent, status and code."""
    assert drawn_tree() == list(real_tree())


def test_codes_are_unique():
    """Clients branch on the code, so each belongs to one class."""
    assert len(ERROR_OF_CODE) == len(list(real_tree()))


@pytest.mark.parametrize("error", CLASSES)
def test_docstring_is_the_default_message(error):
    """An error raised without a message still tells the client what happened."""
    assert str(error()) == error.__doc__
    assert str(error("because")) == "because"
