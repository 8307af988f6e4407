"""Where the official weights lie once fetched: in a folder of the user's, not the project's.

Read by who fetches them and by who serves them; nothing needs to be installed for it.
"""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "DARKROOM_WEIGHTS"  # names another folder


def weights_folder(environment: Mapping[str, str]) -> Path:
    """The folder that `VARIABLE` names, or the one for data in the user's home."""
    if named := environment.get(VARIABLE):
        return Path(named).expanduser()
    home = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "darkroom" / "weights"


def weights_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"
