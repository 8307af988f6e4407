"""What Prometheus sees of the replicas, read from them when it asks."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.replicas import Replicas


class ReplicaMetrics(Collector):
    """One line for each replica, and for each model server what was done to spare its clients."""

    def __init__(self, servers: Iterable[Replicas]) -> None:
        self._servers = servers

    def describe(self) -> Iterable[Metric]:
        return ()  # nothing is asked before there are servers

    def collect(self) -> Iterator[Metric]:
        one, server = ("server", "replica"), ("server",)
        outstanding = GaugeMetricFamily(
            "darkroom_replica_outstanding", "Photos at a replica.", labels=one
        )
        trusted = GaugeMetricFamily(
            "darkroom_replica_trusted", "1 where a replica gets photos of clients.", labels=one
        )
        answers = CounterMetricFamily(
            "darkroom_replica_answers", "Answers by outcome.", labels=(*one, "outcome")
        )
        waiting = GaugeMetricFamily(
            "darkroom_waiting_photos", "Photos waiting for a place at a replica.", labels=server
        )
        retries = CounterMetricFamily(
            "darkroom_retries", "Photos asked of another replica after a failure.", labels=server
        )
        hedges = CounterMetricFamily(
            "darkroom_hedges", "Photos asked of a second replica for slowness.", labels=server
        )
        for asked in self._servers:
            waiting.add_metric((asked.name,), asked.places.waiting)
            retries.add_metric((asked.name,), asked.retries)
            hedges.add_metric((asked.name,), asked.hedges)
            replicas = {**asked.places.leaving, **asked.places.replicas}
            for address, replica in replicas.items():
                labels = (asked.name, address)
                outstanding.add_metric(labels, replica.outstanding)
                gets_photos = replica.trusted and address in asked.places.replicas
                trusted.add_metric(labels, float(gets_photos))
                for outcome, count in replica.outcomes.items():
                    answers.add_metric((*labels, outcome), count)
        yield from (outstanding, trusted, answers, waiting, retries, hedges)
