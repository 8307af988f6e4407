"""What these tests share with those of the gateway, of its jobs and of the whole cluster."""

from tests.end_to_end.conftest import cluster, session_cluster
from tests.gateway.conftest import replica
from tests.gateway.postgres import database_url, postgres

__all__ = ["cluster", "database_url", "postgres", "replica", "session_cluster"]
