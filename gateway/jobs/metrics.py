"""How many jobs there are and how long the oldest has waited, for Prometheus."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from darkroom.contracts.jobs import JobStatus


class JobMetrics(Collector):
    """Tells what was counted last; nothing where the database could not be asked."""

    def __init__(self) -> None:
        self.counts: Sequence[Mapping[str, Any]] | None = None

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("darkroom_jobs", "Jobs by status.", labels=["status"])
        oldest = GaugeMetricFamily(
            "darkroom_jobs_oldest_seconds", "Age of the oldest job by status.", labels=["status"]
        )
        if self.counts is not None:
            found = {row["status"]: row for row in self.counts}
            for status in JobStatus:
                row = found.get(status.value, {"jobs": 0, "oldest_s": 0.0})
                jobs.add_metric([status], row["jobs"])
                oldest.add_metric([status], row["oldest_s"])
        return (jobs, oldest)
