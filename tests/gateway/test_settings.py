"""`gateway/settings.py`: what operators may turn."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from darkroom.contracts.defects import Enhancer
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_variable_is_documented(name):
    """`docs/settings.md` has a line for the variable, with its default's and its own meaning."""
    lines = (ROOT / "docs/settings.md").read_text().splitlines()

    line = next(line for line in lines if f"`DARKROOM_{name.upper()}`" in line)

    assert str(Settings.model_fields[name].description) in line


def test_no_variable_is_documented_that_does_not_exist():
    """What `docs/settings.md` offers of the gateway can be turned."""
    text = (ROOT / "docs/settings.md").read_text().split("\n## ")[1]
    named = {word.strip("`") for word in text.split() if word.startswith("`DARKROOM_")}

    assert named == {f"DARKROOM_{name.upper()}" for name in Settings.model_fields}


def test_empty_url_means_no_such_model_server(monkeypatch):
    """Compose passes empty variables through for what is not part of the cluster."""
    monkeypatch.setenv("DARKROOM_TONE_URL", "")
    monkeypatch.setenv("DARKROOM_RESTORE_URL", "http://restore:8080")

    assert Settings().model_server_urls == {
        "defects": "http://defects:8080/",
        Enhancer.RESTORE: "http://restore:8080/",
    }


def test_replies_grow_with_photos(monkeypatch):
    """One setting makes room for larger photos, there and back."""
    monkeypatch.setenv("DARKROOM_MAX_BYTES", "100000000")

    assert Settings().reply_limit_bytes == 200_000_000


def test_settings_cannot_be_changed_later():
    """They are read once."""
    with pytest.raises(ValidationError):
        Settings().budget_ms = 5


def test_wrong_setting_stops_the_start_with_one_clear_line():
    """The line names the variable; there is no traceback."""
    started = subprocess.run(
        [sys.executable, "-m", "gateway"],
        env={"DARKROOM_BUDGET_MS": "soon"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert started.returncode == 2
    assert started.stderr.startswith("DARKROOM_BUDGET_MS: ")
    assert len(started.stderr.splitlines()) == 1
