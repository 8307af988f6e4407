"""What Prometheus sees of the gateway."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from darkroom.contracts.report import Report

# Seconds. Fine around the 40 ms of a small photo, and an edge at the budget of one second.
BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0, 2.0, 5.0)


class Metrics:
    """The gateway's own counts; each application has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._answers = Histogram(
            "darkroom_answer_seconds",
            "From the request's head to its answer, by route and outcome: a status or error code.",
            ("route", "outcome"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._hops = Histogram(
            "darkroom_hop_seconds",
            "Time of one call of a model server, transport included.",
            ("server", "outcome"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._skipped = Counter(
            "darkroom_skipped_steps",
            "Steps that a diagnosis asked for and that were left out.",
            ("enhancer", "reason"),
            registry=self.registry,
        )
        self._cached = Counter(
            "darkroom_outcomes",
            "Photos by where their outcome was from: run for them (miss, off), kept or shared.",
            ("cache",),
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "darkroom_photos_in_flight", "Photos being worked on.", registry=self.registry
        )
        self.held_bytes = Gauge(
            "darkroom_held_bytes", "Bytes of all requests held.", registry=self.registry
        )

    def observe_answer(self, route: str, outcome: str, seconds: float) -> None:
        self._answers.labels(route, outcome).observe(seconds)

    def observe_hop(self, server: str, outcome: str, seconds: float) -> None:
        self._hops.labels(server, outcome).observe(seconds)

    def count_outcome(self, report: Report, cache: str) -> None:
        self._cached.labels(cache).inc()
        for step in report.skipped:
            self._skipped.labels(step.enhancer, step.reason).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
