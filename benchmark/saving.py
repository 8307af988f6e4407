"""Where measurements are kept, and what is said of the machine they were made on."""

import json
import os
import platform
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def save(name: str, document: object) -> Path:
    """Write `results/NAME.json`; returns where a plot of the same name belongs."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    return RESULTS / f"{name}.png"


def machine() -> dict[str, object]:
    """The processor, and how many programs wanted it in the last minute."""
    return {
        "machine": platform.processor() or platform.machine(),
        "load": round(os.getloadavg()[0], 2),
    }
