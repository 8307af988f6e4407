"""What lets an operator raise DARKROOM_MAX_BYTES: no model server has a limit of its own."""

import json
import urllib.request

import numpy as np
import pytest

from darkroom.cluster.servers import LISTING, PROJECT, REQUIRED
from tests.photos import to_bytes

pytestmark = pytest.mark.stack


def test_a_model_server_takes_more_than_the_gateway_does(cluster):
    """36 MB, which the gateway would refuse unless told otherwise, are diagnosed."""
    noise = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), np.uint8)
    listing = PROJECT / "var" / str(cluster.port) / LISTING
    [address] = json.loads(listing.read_text())[REQUIRED]
    url, photo = f"{address}/predictions/{REQUIRED}", to_bytes(noise, "png", compress_level=0)

    request = urllib.request.Request(url, photo, {"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        assert json.load(reply)["severities"]["noisy"] > 0.5
