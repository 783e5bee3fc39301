"""The source confirms changes that no replica has received: the loss is reported to the operator."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.replication.faults.watching import server
from tests.replication.mysql.servers import MySQLServer, ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, put, writable

pytestmark = pytest.mark.mysql
BRIEF_MS = 100
CLIENTS = (
    "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_clients'"
)


@contextmanager
def semisynchronous(source: MySQLServer, replica: MySQLServer) -> Iterator[None]:
    source.query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
    on_replica(replica, "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'")
    try:
        source.query("SET GLOBAL rpl_semi_sync_source_timeout = %s", BRIEF_MS)
        source.query("SET GLOBAL rpl_semi_sync_source_enabled = ON")
        replica.query("SET GLOBAL rpl_semi_sync_replica_enabled = ON")
        reconnect(replica)
        yield
    finally:
        replica.query("STOP REPLICA IO_THREAD")
        on_replica(replica, "UNINSTALL PLUGIN rpl_semi_sync_replica")
        replica.query("START REPLICA IO_THREAD")
        source.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF")
        eventually("nobody uses it", lambda: source.value(CLIENTS) == "0")
        source.query("UNINSTALL PLUGIN rpl_semi_sync_source")


def on_replica(replica: MySQLServer, statement: str) -> None:
    """Plugins are installed before a server refuses writes, and taken away after."""
    writable(replica)
    replica.query(statement)
    replica.query("SET GLOBAL super_read_only = ON")


def reconnect(replica: MySQLServer) -> None:
    replica.query("STOP REPLICA IO_THREAD")
    replica.query("START REPLICA IO_THREAD")


def test_a_source_that_no_longer_waits_for_a_replica_is_shown_and_logged(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with semisynchronous(servers.source, servers.replica1), cluster_for() as cluster:

        def durable() -> bool | None:
            return server(cluster, "source").semisync

        eventually("it waits for the replica", lambda: durable() and server(cluster, "replica1").semisync)
        cluster.write(put(table, 1))
        assert durable()

        servers.replica1.query("STOP REPLICA IO_THREAD")
        cluster.write(put(table, 2))
        eventually("it does not wait any more", lambda: durable() is False)
        assert 'inventory_replication_semisync{server="source"} 0' in cluster.metrics()
        assert "source commits without waiting for a replica" in caplog.text

        servers.replica1.query("START REPLICA IO_THREAD")
        eventually("it waits again", durable)
        assert "source waits for a replica with each commit again" in caplog.text
