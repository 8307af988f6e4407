"""Requests made up from the OpenAPI document, by Schemathesis."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.gateway.process import gateway_process

pytestmark = pytest.mark.faults

COMMAND = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
EXAMPLES = 20  # for each operation, besides those that cover each parameter


async def test_answers_are_what_the_document_says(replica, database_url, tmp_path):
    """Right and wrong requests to every route: each answer is as documented, none is `internal`."""
    settings = {"DARKROOM_DATABASE_URL": database_url, "DARKROOM_DATA_FOLDER": str(tmp_path)}
    others = ("RESTORE", "STRAIGHTEN", "COLORIZE")
    servers = {f"DARKROOM_{name}_URL": replica.url for name in others}
    async with gateway_process(replica.url, **settings, **servers) as (_, client):
        schemathesis = await asyncio.create_subprocess_exec(
            *(COMMAND, "run", str(client._base_url / "openapi.json")),
            *("--checks", ",".join(CHECKS)),
            *("--max-examples", str(EXAMPLES), "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing", "--continue-on-failure"),
            *("--header", "X-Session-ID: somebody"),
            *("--exclude-path-regex", "events$"),  # streams that end when the client does
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await schemathesis.communicate()
        async with client.get("/metrics") as reply:
            answers = [
                line for line in (await reply.text()).splitlines() if "answer_seconds_count" in line
            ]

    print(told.decode())
    assert schemathesis.returncode == 0
    assert len(answers) > 30
    assert not [line for line in answers if 'outcome="internal"' in line]
