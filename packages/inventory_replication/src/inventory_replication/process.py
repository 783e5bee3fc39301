"""All of a cluster that belongs to one process and does not survive a fork."""

import ssl
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from inventory_replication.config import ClusterConfig
from inventory_replication.context import CurrentContext
from inventory_replication.counters import Counters
from inventory_replication.guards import refuse_writes_on
from inventory_replication.monitor import Monitor
from inventory_replication.pools import Pools
from inventory_replication.reporting import report_cut_off
from inventory_replication.sessions import UnitsOfWork
from inventory_replication.traffic import Traffic

S = TypeVar("S", bound=Session)


class ClusterProcess(Generic[S]):
    """Pools, monitor, counters and the units of work over them.

    Args:
        config: The cluster.
        session_class: Of every session.
        tls: One context for all connections.
        current: Where the causal context of the caller is found.
        on_engine: See `ReplicatedCluster`.
    """

    def __init__(
        self,
        config: ClusterConfig,
        session_class: type[S],
        tls: ssl.SSLContext | None,
        current: CurrentContext,
        on_engine: Callable[[Engine], None],
    ) -> None:
        self.counters = Counters()
        self.traffic = Traffic(server.name for server in config.servers)
        self.pools = Pools(config, tls, refuse_writes_on, on_engine)
        self.monitor = Monitor(config, tls, self.traffic.loads, self.pools.invalidate_writers, self._cut_off)
        self.units = UnitsOfWork(
            config,
            session_class,
            current,
            pools=self.pools,
            monitor=self.monitor,
            traffic=self.traffic,
            counters=self.counters,
        )

    def _cut_off(self, name: str, since: float) -> None:
        number = self.pools.cut_off_readers(name, since)
        if number:
            self.counters.count_cut_off(name, number)
            report_cut_off(name, number)

    def close(self) -> None:
        """End the thread and close the connections."""
        self.monitor.close()
        self.pools.close()
