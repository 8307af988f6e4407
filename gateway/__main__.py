"""Start the gateway with settings from the environment: `python -m gateway`."""

import logging
import sys

from gateway.serving import serve
from gateway.settings import read_settings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if (settings := read_settings()) is None:
        return 2
    try:
        serve(settings)
    except OSError as error:
        print(f"cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
