"""A server that takes writes and is not the source is never written to, however it came about."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.errors import SourceUnavailable, SplitBrainDetected
from inventory_replication.provisioning.server_admin import ServerAdmin
from tests.replication.faults.watching import WATCHFUL, Cluster, server
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import DATABASE, MONITOR, ROOT, MySQLServer, ReplicaSet, attach, eventually
from tests.replication.runtime.clusters import ClusterFor, placed, put, stored, writable

pytestmark = pytest.mark.mysql
NOWHERE = ("127.0.0.1", 9)
ROWS = "SELECT id FROM {t} ORDER BY id"


def promote(server: MySQLServer) -> None:
    server.query("STOP REPLICA")
    server.query("RESET REPLICA ALL")
    writable(server)


@contextmanager
def proxied(cluster_for: ClusterFor, servers: ReplicaSet) -> Iterator[tuple[Cluster, FaultProxy, FaultProxy]]:
    """A cluster that reaches `source` and `replica1` by proxies; afterwards `source` is the source again."""
    with FaultProxy(servers.source.address) as source, FaultProxy(servers.replica1.address) as replica1:
        cluster = cluster_for(servers=placed(servers, source=source, replica1=replica1), monitor=WATCHFUL)
        try:
            yield cluster, source, replica1
        finally:
            cluster.close()
            servers.replica1.query("SET GLOBAL super_read_only = ON")
            attach(servers.source, "replica1")
            assert servers.source.has(servers.replica1.executed())
            promote(servers.source)
            for replica in servers.replicas:
                attach(replica, "source")
            servers.catch_up()


def rows(server: MySQLServer, table: str) -> list[int]:
    return [row[0] for row in server.query(ROWS.replace("{t}", table), database=DATABASE)]


def forget_monitor(server: MySQLServer) -> None:
    """End the monitor's connections to a server, and no others."""
    for (number,) in server.query("SELECT id FROM performance_schema.processlist WHERE user = %s", MONITOR.user):
        server.query("KILL %s", number)


def test_a_former_source_that_comes_back_alone_and_writable_is_not_written_to(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with proxied(cluster_for, servers) as (cluster, source, replica1):
        cluster.write(put(table, 1))
        servers.catch_up()
        upstream, source.upstream = source.upstream, NOWHERE
        source.cut()
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        eventually("there is a new source", lambda: cluster.status().source == "replica1")
        cluster.write(put(table, 2))
        assert servers.replica2.has(servers.replica1.executed())

        replica1.upstream, source.upstream = NOWHERE, upstream
        replica1.cut()
        eventually("the former one is seen", lambda: "former source" in server(cluster, "source").reason)
        assert cluster.status().source is None
        with pytest.raises(SourceUnavailable, match="former source"):
            cluster.write(put(table, 3))
        with cluster.reader() as session:
            assert stored(session, table) == [1, 2]
        assert rows(servers.source, table) == [1]
    assert "source is deposed" in caplog.text


@contextmanager
def recorded(servers: ReplicaSet) -> Iterator[None]:
    """The source is on record, and monitors may read that."""
    record(servers.source, 1)
    servers.source.query("GRANT SELECT ON inventory_replication.source_epoch TO monitor")
    servers.catch_up()
    try:
        yield
    finally:
        servers.source.query("DROP SCHEMA inventory_replication")
        servers.source.query("REVOKE IF EXISTS SELECT ON inventory_replication.source_epoch FROM monitor")


def record(server: MySQLServer, epoch: int) -> None:
    """Write down that a server is the source, as provisioning does."""
    with ServerAdmin(server.config, ROOT, tls=server.tls) as administrator:
        administrator.record_source(SourceRecord(epoch, server.uuid))


def test_an_instance_that_has_just_started_does_not_write_to_a_former_source(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with recorded(servers), proxied(cluster_for, servers) as (cluster, _, replica1):
        record(servers.replica1, 2)
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        assert servers.replica2.has(servers.replica1.executed())
        replica1.upstream = NOWHERE
        replica1.cut()

        assert cluster.status().source is None
        assert server(cluster, "source").state == "deposed"
        with pytest.raises(SourceUnavailable, match="epoch 2"):
            cluster.write(put(table, 1))
        assert rows(servers.source, table) == []
        assert 'deposed{server="source"} 1' in cluster.metrics()


def test_a_writable_former_source_does_not_block_its_successor(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with recorded(servers), proxied(cluster_for, servers) as (cluster, source, _):
        upstream, source.upstream = source.upstream, NOWHERE
        record(servers.replica1, 2)
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        eventually("there is a new source", lambda: cluster.status().source == "replica1")
        source.upstream = upstream
        eventually("the former one is seen", lambda: server(cluster, "source").state == "deposed")
        cluster.write(put(table, 1))

        assert cluster.status().source == "replica1"
        assert rows(servers.replica1, table) == [1]
        assert rows(servers.source, table) == []


def test_a_write_that_began_on_the_former_source_is_not_stored_there(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    """Its connection still works and that server still takes writes, but the monitor has seen another source meanwhile."""
    with proxied(cluster_for, servers) as (cluster, source, _):
        cluster.status()
        where: list[str] = []

        def work(session: Session) -> None:
            put(table, 1)(session)
            where.append(str(session.scalar(text("SELECT @@server_uuid"))))
            if len(where) == 1:
                source.upstream = NOWHERE
                forget_monitor(servers.source)
                eventually("the source is out of sight", lambda: cluster.status().source is None)
                promote(servers.replica1)
                attach(servers.replica2, "replica1")
                eventually("there is a new source", lambda: cluster.status().source == "replica1")

        cluster.write(work)
        assert where == [servers.source.uuid, servers.replica1.uuid]
        assert rows(servers.source, table) == []
        assert rows(servers.replica1, table) == [1]
        assert 'repeats_total{fault="source_changed"} 1' in cluster.metrics()


def test_a_write_that_is_under_way_when_a_second_server_takes_writes_is_not_stored(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    def work(session: Session) -> None:
        put(table, 1)(session)
        writable(servers.replica1)
        eventually("it is seen", lambda: cluster.status().source is None)

    try:
        with pytest.raises(SplitBrainDetected):
            cluster.write(work)
    finally:
        servers.replica1.query("SET GLOBAL super_read_only = ON")
    assert rows(servers.source, table) == []
