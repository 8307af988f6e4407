"""A Swarm of two nodes, one of which is cut off under load."""

import time

import pytest

from tests.containers.engine import IMAGES, Compose, wait_until
from tests.containers.load import Senders
from tests.containers.second_node import HERE, second_node
from tests.containers.swarm import MODELS, Stack, swarm

pytestmark = pytest.mark.containers

BUDGET_MS = 5000  # how long a photo waits for a node that does not answer any more
AT_ONE_REPLICA = 2  # photos, as DARKROOM_REPLICA_DEPTH has it


def test_cut_off_node_costs_at_most_what_it_had_in_hand(tmp_path):
    """The cable is cut: photos are mended by the other node, and Swarm makes up for the lost."""
    Compose().build()
    with second_node(tmp_path) as node, swarm(HERE):
        node.load(IMAGES["DARKROOM_MODEL_IMAGE"])
        node.join()
        stack = Stack(tmp_path)
        try:
            stack.start()
            before = {model: stack.trusted(model) for model in MODELS}
            with Senders(stack.url, clients=4, budget_ms=BUDGET_MS) as senders:
                wait_until(lambda: senders.mended > 10)
                node.cut_off()
                cut_at, mended = time.monotonic(), senders.mended
                wait_until(lambda: senders.mended > mended + 10)
                goes_on_s = time.monotonic() - cut_at
                wait_until(
                    lambda: (
                        all(len(stack.trusted(m) - before[m]) == 1 for m in MODELS)
                        and stack.replicas() == dict.fromkeys(MODELS, 2)
                    )
                )
                whole_s = time.monotonic() - cut_at
        finally:
            stack.end()

    print(f"ten photos after {goes_on_s:.1f} s, whole after {whole_s:.0f} s: {senders.failed}")
    assert len(senders.failed) <= AT_ONE_REPLICA * len(MODELS)
