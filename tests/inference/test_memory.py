import pytest

from darkroom.inference.memory import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_want_of_memory_is_recognised(error, is_it):
    """The ways in which torch, OpenVINO and numpy say it; nothing else."""
    assert is_out_of_memory(error) is is_it
