"""From an address to weights that a model server can load.

A file's SHA-256 is pinned when it is first seen, in `pins.json` beside the weights, and every later
one of that name is held against it. What arrives is a pickle: it is read as plain data alone,
checked tensor by tensor and kept as safetensors.
"""

import hashlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from darkroom.weights.download import FetchError, Progress, download
from darkroom.weights.folder import weights_file
from darkroom.weights.manifest import Official

PINS = "pins.json"

Say = Callable[[str], None]
State = Literal["absent", "partial", "changed", "ready"]


@dataclass(frozen=True)
class Pin:
    """What was seen of one official file, and what was made of it."""

    sha256: str  # of the official file
    url: str
    converted_sha256: str = ""


def fetch(
    official: Official,
    folder: Path,
    say: Say = lambda _: None,
    progress: Progress = lambda _: None,
    *,
    accept_digest: bool = False,
) -> Path:
    """Download, check and convert one official file; the path of the weights.

    With `accept_digest` another file than the expected one is taken and pinned instead.

    Raises:
        FetchError: it cannot be downloaded, or is not what it should be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target, checkpoint = weights_file(folder, official.name), folder / official.checkpoint
    if state_of(official, folder) == "ready":
        say(f"{target} is there and unchanged.")
        return target
    url = _download(official, checkpoint, say, progress)
    pins = _read_pins(folder)
    digest = _sha256_of(checkpoint)
    pinned = pins.get(official.name)
    expected = pinned.sha256 if pinned else official.sha256
    if digest != expected and not accept_digest:
        checkpoint.unlink()
        seen = "was pinned when it was first fetched" if pinned else "others report"
        raise FetchError(
            f"The file from {url} has the SHA-256 {digest}; {expected} {seen}. It was discarded. "
            "If you trust it all the same: --accept-digest."
        )
    _convert(official, checkpoint, target, url, digest, say)
    pins[official.name] = Pin(digest, url, _sha256_of(target))
    _write_pins(folder, pins)
    checkpoint.unlink()  # all of it that matters is in the converted file
    return target


def state_of(official: Official, folder: Path) -> State:
    """Whether the weights of `official` can be served; `changed` if they are not what was made."""
    target = weights_file(folder, official.name)
    if not target.is_file():
        return "partial" if (folder / official.checkpoint).exists() else "absent"
    pin = _read_pins(folder).get(official.name)
    return "ready" if pin and pin.converted_sha256 == _sha256_of(target) else "changed"


def _download(official: Official, checkpoint: Path, say: Say, progress: Progress) -> str:
    troubles = []
    for url in official.urls:
        say(f"{url}")
        try:
            download(url, checkpoint, official.size_bytes, progress)
        except FetchError as error:
            troubles.append(str(error))
        else:
            return url
    raise FetchError("\n".join(troubles))


def _convert(
    official: Official, checkpoint: Path, target: Path, url: str, digest: str, say: Say
) -> None:
    # Imported here: the command line itself works without torch.
    from darkroom.networks.deoldify.generator import VARIANTS
    from darkroom.networks.deoldify.weights import read_checkpoint, write_folded
    from darkroom.networks.serving import convert
    from darkroom.weights.notes import WrongWeights

    (variant,) = (variant for variant in VARIANTS if variant == official.name)
    say("Reading it as plain data and folding its norms …")
    try:
        network = read_checkpoint(checkpoint, variant)
    except WrongWeights as error:
        checkpoint.unlink()
        raise FetchError(f"{error}. It was discarded.") from error
    notes = {"licence": official.licence, "source": official.source, "url": url}
    write_folded(network, target, notes | {"source_sha256": digest})
    if importlib.util.find_spec("openvino") is not None:  # a GPU server has no use for it
        say("Converting it for processors …")
        convert(target)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_pins(folder: Path) -> dict[str, Pin]:
    try:
        content = json.loads((folder / PINS).read_text())
        return {name: Pin(**pin) for name, pin in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise FetchError(f"{folder / PINS} cannot be read: {error}") from error


def _write_pins(folder: Path, pins: dict[str, Pin]) -> None:
    content = {name: vars(pin) for name, pin in sorted(pins.items())}
    unfinished = folder / f".{PINS}.part"
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(folder / PINS)
