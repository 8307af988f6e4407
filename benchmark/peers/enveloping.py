"""The gateway before model servers that know no headers: `python -m benchmark.peers.enveloping`.

Only the way a photo is packed differs: headers are a line of JSON before it.
"""

import json
import sys

import gateway.app
from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply
from gateway.__main__ import main
from gateway.calls import Answer, Call
from gateway.model_server import ModelServer, Said


class Enveloped(ModelServer):
    """The edge to one of them."""

    async def _exchange(self, call: Call[Answer]) -> Said:
        packed = json.dumps(call.headers).encode() + b"\n" + call.work.photo.payload
        async with self._session.post(self._url, data=packed) as response:
            line, _, body = (await self._read(response)).partition(b"\n")
            if response.status != 200:
                raise self._error_of(response, line)
        told = json.loads(line)
        if told["status"] not in (200, 204):
            raise self._failure(f"status {told['status']}")
        by = ModelReply.model_validate_json(told[MODEL])
        return Said(by, None if told["status"] == 204 else body)


if __name__ == "__main__":
    gateway.app.ModelServer = Enveloped  # type: ignore[attr-defined]
    sys.exit(main())
