"""What a test sees of a cluster from outside: who serves, how many fail, and when that has come about."""

from collections import Counter
from collections.abc import Callable
from time import monotonic

from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_replication import BreakerPolicy, MonitorPolicy, ReplicatedCluster
from inventory_replication.errors import ReplicationError, ServerLost
from inventory_replication.status import ServerStatus

BREAKER = BreakerPolicy(failures_to_open=2, first_delay=0.2, max_delay=0.4)
WATCHFUL = MonitorPolicy(poll_interval=0.05, connect_timeout=0.5, read_timeout=0.5, breaker=BREAKER)
QUIET = MonitorPolicy(poll_interval=1000)
"""It probes once, and is inactive until a refresh is requested."""

LONGEST = 30.0
"""Seconds that no unit of work of the tests may take, however bad the network is; far above its time-outs."""

Cluster = ReplicatedCluster[Session]
ASK = text("SELECT 1").execution_options(read_only=True)


def served_by(cluster: Cluster, times: int = 40) -> set[str]:
    """The servers of this number of readers, of which none may fail."""
    with cluster.causal() as context:
        for _ in range(times):
            with cluster.reader() as session:
                session.execute(ASK)
    return {each.server for each in context.served}


def both_serve(cluster: Cluster) -> bool:
    return served_by(cluster) == {"replica1", "replica2"}


def server(cluster: Cluster, name: str) -> ServerStatus:
    return next(each for each in cluster.status().servers if each.name == name)


def staleness(cluster: Cluster, name: str) -> float:
    proved = server(cluster, name).staleness_seconds
    return float("inf") if proved is None else proved


def outcomes(cluster: Cluster, times: int, read: Callable[[Session], object]) -> Counter[str]:
    """The results of this number of readers: ``lost`` may happen to one that had its server already, anything else is an error."""
    seen: Counter[str] = Counter()
    for _ in range(times):
        began = monotonic()
        try:
            with cluster.reader() as session:
                read(session)
        except ServerLost:
            seen["lost"] += 1
        except ReplicationError as fault:
            seen[repr(fault)] += 1
        else:
            seen["read"] += 1
        if monotonic() - began > LONGEST:
            seen["too long"] += 1
    return seen
