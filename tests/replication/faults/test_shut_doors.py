"""A server that is alive but refuses logins is not taken for dead, and the reason is reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inventory_replication import RetryPolicy, TlsPolicy
from inventory_replication.errors import DatabaseBusy, SourceUnavailable
from tests.replication.faults.watching import WATCHFUL, both_serve, served_by, server, staleness
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.servers import MONITOR, MySQLServer, ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, put, stored

pytestmark = pytest.mark.mysql
FEW_RUNS = RetryPolicy(attempts=2, first_delay=0.0, max_delay=0.0)


@contextmanager
def full(server: MySQLServer) -> Iterator[None]:
    """Every connection is taken; those that are open stay."""
    with server.connect() as kept, kept.cursor() as cursor:
        cursor.execute("SELECT @@max_connections")
        (before,) = cursor.fetchone() or (None,)
        cursor.execute("SET GLOBAL max_connections = 1")
        try:
            yield
        finally:
            cursor.execute("SET GLOBAL max_connections = %s", (before,))


@contextmanager
def monitor_locked_out(servers: ReplicaSet) -> Iterator[None]:
    """Of all servers, in the middle of its work."""
    servers.source.query("ALTER USER %s ACCOUNT LOCK", MONITOR.user)
    servers.catch_up()
    for each in servers.servers:
        for (number,) in each.query("SELECT id FROM performance_schema.processlist WHERE user = %s", MONITOR.user):
            each.query("KILL %s", number)
    try:
        yield
    finally:
        servers.source.query("ALTER USER %s ACCOUNT UNLOCK", MONITOR.user)


def test_a_replica_without_a_free_connection_is_passed_over_and_not_left_alone(
    cluster_for: ClusterFor, servers: ReplicaSet
) -> None:
    cluster = cluster_for(monitor=WATCHFUL)
    eventually("both are known", lambda: max(staleness(cluster, each.name) for each in servers.replicas) < 1)
    with full(servers.replica1):
        assert served_by(cluster) == {"replica2"}
        assert (server(cluster, "replica1").state, server(cluster, "replica1").breaker) == ("replica", "closed")
    assert 'faults_total{server="replica1",fault="no_room"}' in cluster.metrics()
    eventually("both serve", lambda: both_serve(cluster))


def test_a_source_without_a_free_connection_is_reported_as_busy_and_stays_the_source(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(monitor=WATCHFUL, retry=FEW_RUNS)
    cluster.status()
    with full(servers.source):
        with pytest.raises(DatabaseBusy, match="Nothing was changed"):
            cluster.write(put(table, 1))
        status = cluster.status()
        assert (status.source, status.mode, server(cluster, "source").breaker) == ("source", "normal", "closed")
    cluster.write(put(table, 1))
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1]


def test_a_monitor_that_is_locked_out_of_every_server_takes_nothing_away(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(monitor=WATCHFUL)
    eventually("both serve", lambda: both_serve(cluster))
    with monitor_locked_out(servers):
        eventually("it is seen", lambda: "locked the account" in server(cluster, "source").reason)
        with cluster.causal():
            cluster.write(put(table, 1))
            with cluster.reader() as session:
                assert stored(session, table) == [1]
        status = cluster.status()
        assert (status.source, status.epoch) == ("source", 1)
        assert {each.breaker for each in status.servers} == {"closed"}
        assert {each.state for each in status.servers} == {"source", "replica"}
    eventually(
        "it is let in again", lambda: cluster.status().reason == "source is the only server that accepts writes."
    )


def test_servers_with_a_certificate_of_another_authority_are_named_and_nothing_is_sent_to_them(
    cluster_for: ClusterFor, table: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Certificates.make("source").authority, "ascii")
    cluster = cluster_for(tls=TlsPolicy(other, verify_host=True))

    with pytest.raises(SourceUnavailable, match="nothing was changed"):
        cluster.write(put(table, 1))
    status = cluster.status()
    assert {each.breaker for each in status.servers} == {"closed"}
    for each in status.servers:
        assert f"{each.name} ({each.address}) shows a certificate that is not trusted" in each.reason
        assert "check the CA file" in each.reason
