"""Try a newcomer: `python -m darkroom.trial MODEL URL…` with the URLs of those that serve now.

Waits until the newcomer answers, then compares. Exit status: 0 it may serve, 1 it must not.
"""

import argparse
import os
import sys
import time

from darkroom.trial.comparing import Gone, compare
from darkroom.trial.replica import NoAnswer, Replica
from darkroom.trial.samples import TINY, Sample, samples_for
from darkroom.trial.siblings import established_sibling, version_of
from darkroom.trial.verdict import Limits, faults

TRIES = 2  # a newcomer is refused only if it is worse each time
LOOKS = 4  # for a sibling to try it beside: some may go away meanwhile
_LOOK_EVERY_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m darkroom.trial", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("urls", nargs="+", metavar="URL", help="where replicas serve now")
    parser.add_argument("--newcomer", default="http://127.0.0.1:8080", metavar="URL")
    options = parser.parse_args(arguments)
    newcomer = Replica(options.model, options.newcomer)
    limits = Limits.read(os.environ)
    return 0 if is_admitted(options.model, newcomer, options.urls, limits) else 1


def is_admitted(model: str, newcomer: Replica, urls: list[str], limits: Limits) -> bool:
    """Try the newcomer beside a sibling of another version, if there is one; say what came out."""
    sample = samples_for(model, TINY)[0]
    version = _version_when_ready(newcomer, sample)
    refused = 0
    for _ in range(LOOKS):
        began = time.monotonic()
        sibling = established_sibling(model, urls, version, sample)
        if sibling is None:
            _say(f"{model} {version}: nothing to try it against")
            return True
        established, other = sibling
        beside = f"{model} {version} beside {other} at {established.url}"
        try:
            findings = compare(model, newcomer, established, limits.seconds)
        except Gone:
            _say(f"{beside}: that one went away")
            continue
        found = faults(findings, limits)
        verdict = f"REFUSED ({', '.join(found)})" if found else "good enough"
        _say(f"{beside}: {verdict} after {time.monotonic() - began:.1f} s: {findings}")
        refused += bool(found)
        if not found or refused == TRIES:
            return not found
    return True  # siblings that come and go say nothing of the newcomer


def _version_when_ready(newcomer: Replica, sample: Sample) -> str:
    while True:
        try:
            return version_of(newcomer.ask(sample).by)
        except NoAnswer:
            time.sleep(_LOOK_EVERY_S)


def _say(line: str) -> None:
    print(f"trial: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
