"""The whole of `docker-compose.yml`, for all tests that need it."""

from collections.abc import Iterator

import pytest

from tests.containers.engine import Compose, compose_command, need_image


@pytest.fixture(scope="session")
def cluster() -> Iterator[Compose]:
    """Gateway, worker, Redis, PostgreSQL and all model servers, each in a container."""
    compose_command()
    for image in ("redis:7-bookworm", "postgres:15-bookworm"):
        need_image(image)
    compose = Compose()
    try:
        compose.build()
        print(f"ready after {compose.start():.0f} s")
        yield compose
    finally:
        compose.end()
