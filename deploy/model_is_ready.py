"""Exit with 0 where the network of this container is warm and may serve: for its health check.

A worker is ready once its handler has loaded the archive and taken its warm-up photos; that it may
serve is said by `serve-model`.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

MODEL = os.environ["MODEL"]

with urllib.request.urlopen(f"http://127.0.0.1:8081/models/{MODEL}", timeout=3) as reply:
    (model,) = json.load(reply)
is_warm = any(worker["status"] == "READY" for worker in model["workers"])
sys.exit(0 if is_warm and Path("/tmp/admitted").exists() else 1)
