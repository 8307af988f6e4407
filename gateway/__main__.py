"""Start the gateway with settings from the environment: `python -m gateway`."""

import logging
import sys

from pydantic import ValidationError

from gateway.serving import serve
from gateway.settings import Settings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"DARKROOM_{name}: {fault['msg']}", file=sys.stderr)
        return 2
    try:
        serve(settings)
    except OSError as error:
        print(f"cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
