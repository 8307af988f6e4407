"""Exit with 0 where the network of this container is loaded and warm: for its health check.

A worker is ready once its handler has loaded the archive and taken its warm-up photos.
"""

import json
import os
import sys
import urllib.request

MODEL = os.environ["MODEL"]

with urllib.request.urlopen(f"http://127.0.0.1:8081/models/{MODEL}", timeout=3) as reply:
    (model,) = json.load(reply)
sys.exit(0 if any(worker["status"] == "READY" for worker in model["workers"]) else 1)
