"""The table of archives: what each `.mar` holds and how TorchServe is to run it."""

from dataclasses import dataclass

from darkroom.contracts.options import LONGEST_BUDGET_MS

# Of a worker that works for as long as its photo has time: only one that hangs takes longer.
_LONGER_THAN_ANY_BUDGET_S = LONGEST_BUDGET_MS // 1000 + 10


@dataclass(frozen=True)
class Archive:
    """One model server's archive.

    A queue is no longer than the default budget of one second: as many everyday photos (1.2 Mpx)
    as a worker finishes in that time. Larger ones are abandoned by the gateway at their deadline.
    """

    name: str
    job_queue_size: int
    version: str = "1.0"  # the build adds what the archive was made of
    judged: bool = False  # brings the defect classifier along, to look at its own results
    # On a processor a batch saves nothing that matters, while each photo waits for the slowest of
    # its batch. For GPUs it is built with more: `python -m handlers.build --batch`.
    batch_size: int = 1
    # The gateway owns the deadlines. This one only ends a worker that hangs.
    response_timeout_s: int = 20
    startup_timeout_s: int = 300  # also only that: a first start, on a busy machine, takes a minute

    @property
    def entry(self) -> str:
        return f"{self.name}_handler.py"

    @property
    def weights(self) -> str:
        return f"{self.name}.safetensors"

    @property
    def all_weights(self) -> tuple[str, ...]:
        """Its own first."""
        return (self.weights, "defects.safetensors") if self.judged else (self.weights,)

    def config(self, sha256: dict[str, str], sources_sha256: str) -> dict[str, object]:
        """The archive's own YAML: TorchServe's keys, and under `handler` ours.

        `sha256` of each file by name, which the handler verifies before it loads anything.
        """
        return {
            # Workers are scaled as replicas, which the gateway sees and can spare.
            "minWorkers": 1,
            "maxWorkers": 1,
            "batchSize": self.batch_size,
            # Milliseconds, which a lone request would pay in full waiting for company: what comes
            # while one batch is at work is the next.
            "maxBatchDelay": 1,
            "responseTimeout": self.response_timeout_s,
            "startupTimeout": self.startup_timeout_s,
            "jobQueueSize": max(self.job_queue_size, 2 * self.batch_size),
            "handler": {"sha256": sha256, "sources_sha256": sources_sha256},
        }


ARCHIVES = {
    archive.name: archive
    for archive in (
        Archive("defects", job_queue_size=64),  # 10 ms a photo
        Archive(  # 300 ms for an everyday photo; of a large one as much as there is time for
            "restore",
            job_queue_size=4,
            judged=True,
            response_timeout_s=_LONGER_THAN_ANY_BUDGET_S,
        ),
        Archive("tone", job_queue_size=32, judged=True),  # 25 ms
        Archive("straighten", job_queue_size=32, judged=True),  # 30 ms
        # 150 ms by `lite`; DeOldify's networks take many seconds where there is no GPU.
        Archive("colorize", job_queue_size=8, response_timeout_s=90),
    )
}
