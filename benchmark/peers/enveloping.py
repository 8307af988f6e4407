"""The gateway before model servers that know no headers: `python -m benchmark.peers.enveloping`.

Only the way a photo is packed differs: headers are a line of JSON before it, both ways.
"""

import json
import sys
from collections.abc import Mapping

import gateway.app
from darkroom.contracts.problem import MEDIA_TYPE
from gateway.__main__ import main
from gateway.wire import Wire, WireReply


class Envelope(Wire):
    """The wire to one of them."""

    async def post(self, told: Mapping[str, str], payload: bytes) -> WireReply:
        packed = json.dumps(dict(told)).encode() + b"\n" + payload
        reply = await super().post({}, packed)
        if reply.status != 200:
            return reply
        line, _, body = reply.body.partition(b"\n")
        of_handler = json.loads(line)
        status = of_handler.pop("status")
        media_type = of_handler.get("Content-Type", MEDIA_TYPE)
        return WireReply(status, media_type, of_handler, body)


if __name__ == "__main__":
    gateway.app.Wire = Envelope  # type: ignore[attr-defined]
    sys.exit(main())
