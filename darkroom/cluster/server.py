"""What it takes to run one process of the cluster."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """One process to keep running."""

    name: str
    command: tuple[str, ...]
    folder: Path  # where it runs
    log: Path
    environment: dict[str, str]
    stage: int = 0  # at the end a higher stage goes first: it needs the lower ones to finish
