"""Parts of the real cluster fail: every request has its answer, and the cluster heals."""

import signal
import subprocess
import sys
import time

import pytest

from darkroom.contracts.errors import ServiceError
from tests.end_to_end.pictures import PATIENT_MS, darken
from tests.photos import load_photo, to_bytes

pytestmark = pytest.mark.stack

DARK = to_bytes(darken(load_photo("coffee"), stops=3))
HANG_S = 10.0  # far over the budget of one second: whoever waits so long has no deadline


def test_ready_cluster_says_so(cluster):
    """`/readyz` names each model server as ok, and soon the parts of jobs; `/healthz` answers."""
    jobs = {"database": "ok", "worker": "ok"}
    # The database's word is not waited for by /readyz, however busy the machine is.
    cluster.wait_until(lambda: cluster.get_json("/readyz")["jobs"] == jobs)
    readiness = cluster.get_json("/readyz")

    assert readiness["ready"]
    assert set(readiness["servers"].values()) == {"ok"}
    assert set(readiness["servers"]) == {"defects", "restore", "straighten", "tone", "colorize"}
    assert cluster.get("/healthz") == "ok"


def test_metrics_count_answers_and_hops(cluster, darkroom):
    """`/metrics` has the histograms of answers and of both hops."""
    darkroom.enhance(DARK, budget_ms=PATIENT_MS)

    metrics = cluster.get("/metrics")

    assert 'darkroom_answer_seconds_count{outcome="200",route="/enhance_image"}' in metrics
    for server in ("defects", "tone"):
        assert f'darkroom_hop_seconds_count{{outcome="ok",server="{server}"}}' in metrics


def test_openapi_document_names_the_routes(cluster):
    """The documentation is there and names what clients call."""
    paths = cluster.get_json("/openapi.json")["paths"]

    assert {"/enhance_image", "/fix_defect", "/detect_problems", "/diagnose"} <= set(paths)
    assert "/enhance_image" in cluster.get("/docs")


def test_cluster_fits_its_memory(cluster):
    """All of it: 1.0 GB as ready, 1.4 after photos of 12 megapixels; this one is in between."""
    assert 200 < cluster.total_mb() <= 1500


def test_second_cluster_on_the_port_is_refused(cluster):
    """A second `darkroom up` on the same port says so in a line and starts nothing."""
    before = {process.pid for process in cluster.processes()}

    second = subprocess.run(
        [sys.executable, "-m", "darkroom.cli", "up", "--port", str(cluster.port)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert second.returncode == 1
    assert f"Port {cluster.port} on 127.0.0.1 is taken" in second.stderr
    assert "Traceback" not in second.stderr
    assert {process.pid for process in cluster.processes()} == before


def test_killed_model_server_is_reported_and_replaced(cluster, darkroom):
    """Kill -9 of `tone`: 503 or 504 meanwhile, a line on the terminal, then photos are mended."""
    cluster.server("tone").kill()

    with pytest.raises(ServiceError) as raised:
        darkroom.enhance(DARK)

    assert raised.value.status in (503, 504)
    cluster.wait_for("tone ended (killed by signal 9)")
    cluster.wait_until_healed()
    assert darkroom.enhance(DARK, budget_ms=PATIENT_MS).photo is not None


def test_killed_worker_is_replaced(cluster, darkroom):
    """Kill -9 of the Python process with the network: its model server starts another."""
    worker = cluster.worker("defects")

    worker.kill()
    cluster.wait_until_healed()

    assert cluster.worker("defects").pid != worker.pid
    assert darkroom.enhance(DARK, budget_ms=PATIENT_MS).photo is not None


@pytest.mark.parametrize("part", ["server", "worker"])
def test_hanging_model_server_costs_no_more_than_the_budget(cluster, darkroom, part):
    """A stopped process: the deadline is kept, and afterwards the next photo is mended."""
    process = getattr(cluster, part)("tone")
    process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(ServiceError) as raised:
            darkroom.enhance(DARK)
        assert time.monotonic() - began < HANG_S
    finally:
        process.send_signal(signal.SIGCONT)

    assert raised.value.status in (503, 504)
    cluster.wait_until_healed()
    assert darkroom.enhance(DARK, budget_ms=PATIENT_MS).photo is not None


def test_killed_gateway_is_replaced(cluster, darkroom):
    """Kill -9 of the gateway: it listens again at the same address."""
    gateway = next(p for p in cluster.processes() if p.cmdline()[-2:] == ["-m", "gateway"])

    gateway.kill()
    cluster.wait_for("gateway ended (killed by signal 9)")
    cluster.wait_until_healed()

    assert darkroom.enhance(DARK, budget_ms=PATIENT_MS).photo is not None
