"""The source becomes another server, dies, or loses what it had confirmed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_replication import ConnectionLimits, ReplicatedCluster
from inventory_replication.errors import CommitUnknown, DatabaseBusy, LostWriteDetected, SplitBrainDetected
from tests.replication.mysql.fault_proxy import HEALTHY, Ending, Fault, FaultProxy
from tests.replication.mysql.servers import MySQLServer, ReplicaSet, attach, eventually
from tests.replication.runtime.clusters import ClusterFor, mode, placed, put, reasons, stored, writable

pytestmark = pytest.mark.mysql
NOWHERE = ("127.0.0.1", 9)
LIMITS = ConnectionLimits(read_timeout=1.0, connect_timeout=1.0)


def promote(server: MySQLServer) -> None:
    server.query("STOP REPLICA")
    server.query("RESET REPLICA ALL")
    writable(server)


def switch_over(servers: ReplicaSet) -> None:
    """A planned switchover to `replica1`, as an operator does it."""
    servers.source.query("SET GLOBAL super_read_only = ON")
    assert servers.replica1.has(servers.source.executed())
    promote(servers.replica1)
    attach(servers.replica2, "replica1")
    attach(servers.source, "replica1")


@contextmanager
def source_again(servers: ReplicaSet) -> Iterator[None]:
    """After the block `source` is the source again and has everything, and `replica1` is a replica of it again."""
    try:
        yield
    finally:
        servers.replica1.query("SET GLOBAL super_read_only = ON")
        attach(servers.source, "replica1")
        assert servers.source.has(servers.replica1.executed())
        promote(servers.source)
        for replica in servers.replicas:
            attach(replica, "source")
        servers.catch_up()


class Writers:
    """Threads that write rows of their own, one after another, and read each back."""

    def __init__(self, cluster: ReplicatedCluster[Session], table: str) -> None:
        self.acknowledged: list[int] = []
        self.failed: list[BaseException] = []
        self.unseen: list[int] = []
        self._cluster = cluster
        self._table = table
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(first,)) for first in (1_000, 2_000, 3_000)]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for each in self._threads:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in self._threads:
                each.join(60)

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            number += 1
            try:
                with self._cluster.causal():
                    self._cluster.write(put(self._table, number))
                    self.acknowledged.append(number)
                    with self._cluster.reader() as session:
                        if number not in stored(session, self._table):
                            self.unseen.append(number)
            except Exception as fault:  # noqa: BLE001 - what it is, the test looks at
                self.failed.append(fault)


def test_a_planned_switchover_under_load_is_not_noticed(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    writers = Writers(cluster, table)
    with source_again(servers):
        with writers.at_work():
            eventually("they write", lambda: len(writers.acknowledged) > 20)
            switch_over(servers)
            eventually("it is seen", lambda: cluster.status().source == "replica1")
            reached = len(writers.acknowledged)
            eventually("they write on the new one", lambda: len(writers.acknowledged) > reached + 20)
        with cluster.reader(from_source=True) as session:
            found = stored(session, table)
        status = cluster.status()

        assert writers.failed == []
        assert writers.unseen == []
        assert found == sorted(writers.acknowledged), "an acknowledged row was lost, or one was written twice"
        assert (status.epoch, status.mode, status.lost_gtids) == (2, "normal", "")


def test_what_was_confirmed_and_went_down_with_the_source_is_reported_once(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.source.address) as proxy, source_again(servers):
        cluster = cluster_for(servers=placed(servers, source=proxy))
        cluster.write(put(table, 1))
        servers.catch_up()
        for replica in servers.replicas:
            replica.query("STOP REPLICA IO_THREAD")
        with cluster.causal() as context:
            cluster.write(put(table, 2))
            token = context.token
        eventually("the monitor knows of it", lambda: table_has(cluster, token))
        upstream, proxy.upstream = proxy.upstream, NOWHERE
        proxy.cut()
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        eventually("it is the source", lambda: cluster.status().source == "replica1")

        with cluster.causal(token) as later:
            with pytest.raises(LostWriteDetected, match="had been confirmed") as caught, cluster.reader():
                pass
            with cluster.reader() as session:
                assert stored(session, table) == [1]
        assert caught.value.gtids.startswith(servers.source.uuid)
        assert later.token is None
        assert cluster.status().lost_gtids == caught.value.gtids
        assert "lost_writes_total 1" in cluster.metrics()

        proxy.upstream = upstream
        eventually("the former source is seen", lambda: cluster.status().source is None)
        with pytest.raises(SplitBrainDetected):
            cluster.write(put(table, 3))
        cluster.close()


def table_has(cluster: ReplicatedCluster[Session], token: str | None) -> bool:
    """Return whether the monitor has probed the source since the token was made."""
    with cluster.causal(token) as context, cluster.reader():
        pass
    return reasons(context) == ["source_ahead"] and token is not None


@pytest.mark.parametrize(
    ("fault", "is_stored"),
    [
        ({"to_client": Fault(after_bytes=0)}, True),
        ({"to_client": Fault(after_bytes=7, ending=Ending.RESET)}, True),
        ({"to_client": Fault(blackhole=True)}, True),
        ({"to_server": Fault(after_bytes=0)}, False),
        ({"to_server": Fault(blackhole=True)}, False),
    ],
    ids=["answer cut", "answer reset", "answer swallowed", "commit cut", "commit swallowed"],
)
def test_a_connection_that_breaks_in_the_commit_leaves_it_unknown_and_nothing_is_repeated(
    fault: dict[str, Fault], is_stored: bool, cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.source.address) as proxy:
        cluster = cluster_for(servers=placed(servers, source=proxy), limits=LIMITS)
        cluster.write(put(table, 1))
        runs: list[int] = []

        def work(session: Session) -> None:
            put(table, 2)(session)
            runs.append(1)
            proxy.to_client, proxy.to_server = fault.get("to_client", HEALTHY), fault.get("to_server", HEALTHY)

        with cluster.causal() as context, pytest.raises(CommitUnknown, match="may or may not"):
            cluster.write(work)
        proxy.to_client = proxy.to_server = HEALTHY
        eventually("the source is seen again", lambda: mode(cluster) == "normal")
        eventually(
            "what came of it is seen from the source",
            lambda: seen(cluster, context.token, table) == ([1, 2] if is_stored else [1]),
        )
        assert "unknown_commits_total 1" in cluster.metrics()
        cluster.close()

    assert runs == [1]


def seen(cluster: ReplicatedCluster[Session], token: str | None, table: str) -> list[int]:
    with cluster.causal(token) as context, cluster.reader() as session:
        found = stored(session, table)
    assert reasons(context) == ["source_unknown_commit"]
    return found


def test_a_connection_that_breaks_before_the_commit_is_repeated(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        put(table, 1)(session)
        if len(runs) == 1:
            servers.source.query("KILL %s", session.scalar(text("SELECT CONNECTION_ID()")))
        put(table, 2)(session)

    cluster.write(work)
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1, 2]

    assert len(runs) == 2


def test_a_write_that_is_under_way_when_a_second_server_takes_writes_is_not_committed(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    """Its server would commit it, but may not be the source any more."""
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        put(table, 1)(session)
        writable(servers.replica1)
        eventually("it is seen", lambda: cluster.status().source is None)

    try:
        with pytest.raises(SplitBrainDetected):
            cluster.write(work)
    finally:
        servers.replica1.query("SET GLOBAL super_read_only = ON")
    eventually("the source is found again", lambda: mode(cluster) == "normal")
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == []

    assert runs == [1]


def test_a_write_that_is_under_way_when_the_source_changes_is_run_again_on_the_new_one(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    where: list[str] = []

    def work(session: Session) -> None:
        where.append(str(session.scalar(text("SELECT @@server_uuid"))))
        if len(where) == 1:
            switch_over(servers)
            eventually("it is seen", lambda: cluster.status().source == "replica1")
        else:
            put(table, 1)(session)

    with source_again(servers):
        cluster.write(work)
        with cluster.reader(from_source=True) as session:
            assert stored(session, table) == [1]

    assert where == [servers.source.uuid, servers.replica1.uuid]


def test_a_statement_that_takes_too_long_times_out_and_is_not_repeated(cluster_for: ClusterFor, table: str) -> None:
    cluster = cluster_for(limits=LIMITS)
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        put(table, 1)(session)
        session.execute(text("SELECT SLEEP(3)"))

    with pytest.raises(DatabaseBusy):
        cluster.write(work)
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == []

    assert runs == [1]
