"""What keeps a healthy server busy is not taken for its end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from inventory_replication import MonitorPolicy, ReplicatedCluster, RoutingPolicy
from inventory_replication.errors import ReplicationError
from tests.replication.faults.watching import ASK, both_serve, served_by, server, staleness
from tests.replication.mysql.servers import DATABASE, ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, notes, put, stored

pytestmark = pytest.mark.mysql
ROWS = 100_000
AT_ONCE = 10_000
HEALTHY = {("source", "source", "closed"), ("replica1", "replica", "closed"), ("replica2", "replica", "closed")}
PATIENT = MonitorPolicy(poll_interval=0.05, connect_timeout=5.0, read_timeout=5.0)
"""Its time-outs are not what is looked at here, and this machine may be busy."""


class Readers:
    """Two threads that read something small, again and again, and the states that the servers are seen in meanwhile."""

    def __init__(self, cluster: ReplicatedCluster[Session]) -> None:
        self.reads = 0
        self.failed: list[BaseException] = []
        self.states: set[tuple[str, str, str]] = set()
        self._cluster = cluster
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator["Readers"]:
        threads = [threading.Thread(target=self._read) for _ in range(2)]
        for each in threads:
            each.start()
        try:
            yield self
        finally:
            self._stop.set()
            for each in threads:
                each.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                with self._cluster.reader() as session:
                    session.execute(ASK)
                self.reads += 1
                for each in self._cluster.status().servers:
                    self.states.add((each.name, each.state, each.breaker))
            except ReplicationError as fault:
                self.failed.append(fault)


def test_a_transaction_of_a_hundred_thousand_rows_throws_no_replica_out(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(routing=RoutingPolicy(staleness_bound=60.0), monitor=PATIENT)
    eventually("both serve", lambda: both_serve(cluster))

    def store_all(session: Session) -> None:
        for first in range(0, ROWS, AT_ONCE):
            rows = [{"id": number, "note": "a"} for number in range(first, first + AT_ONCE)]
            session.execute(insert(notes(table)), rows)

    with Readers(cluster).at_work() as readers, cluster.causal() as context:
        cluster.write(store_all)
        required = context.carried.gtids
        with cluster.reader() as session:
            seen = len(stored(session, table))
        servers.catch_up()
        assert seen == ROWS, (context.served, required, [each.executed() for each in servers.servers])

    assert readers.failed == []
    assert readers.states == HEALTHY
    assert 'role="reader",server="source",reason="source_no_replica"' not in cluster.metrics()


def test_tables_are_changed_while_others_read_and_no_one_is_thrown_out(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(routing=RoutingPolicy(staleness_bound=60.0), monitor=PATIENT)
    eventually("both serve", lambda: both_serve(cluster))
    with Readers(cluster).at_work() as readers:
        for number in range(5):
            with cluster.causal():
                cluster.write(lambda session: session.execute(text(f"ALTER TABLE {table} COMMENT 'x'")))
                cluster.write(put(table, number))
                with cluster.reader() as session:
                    assert number in stored(session, table)
        servers.catch_up()

    assert readers.failed == []
    assert readers.states == HEALTHY


def test_a_long_reader_that_holds_up_a_replica_keeps_its_moment_and_the_replica_comes_back_after_it(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    """A change of the table waits for the reader on that replica, and everything behind it waits too."""
    cluster = cluster_for(routing=RoutingPolicy(staleness_bound=1.0))
    cluster.write(put(table, 1))
    servers.catch_up()
    eventually("both serve", lambda: both_serve(cluster))
    with cluster.causal() as context, cluster.reader() as long:
        assert stored(long, table) == [1]
        held = context.served[0].server
        other = "replica1" if held == "replica2" else "replica2"
        cluster.write(lambda session: session.execute(text(f"ALTER TABLE {table} COMMENT 'y'")))
        cluster.write(put(table, 2))
        eventually("it falls behind", lambda: staleness(cluster, held) > 1.0)
        eventually("the other one does not", lambda: served_by(cluster) == {other})
        assert (server(cluster, held).state, server(cluster, held).breaker) == ("replica", "closed")
        with cluster.causal():
            cluster.write(put(table, 3))
            with cluster.reader() as session:
                assert stored(session, table) == [1, 2, 3]
        assert stored(long, table) == [1]
    eventually("it is back", lambda: both_serve(cluster))
    assert servers.source.query("TABLE {t}".replace("{t}", table), database=DATABASE) == ((1, ""), (2, ""), (3, ""))
