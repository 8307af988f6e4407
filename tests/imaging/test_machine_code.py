import pytest

from darkroom.imaging.machine_code import Contents, load, save


def test_an_unknown_function_of_c_is_noticed(tmp_path):
    """Before the code is called, which would jump to nowhere."""
    save(tmp_path / "code", Contents({}, [], [(0, "there_is_no_such_function")]), bytes(8))

    with pytest.raises(OSError, match="there_is_no_such_function"):
        load(tmp_path / "code")
