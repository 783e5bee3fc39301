"""A replica whose replication is stalled, or that has errant transactions, serves no reader until it is fixed."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster, RoutingPolicy
from tests.replication.faults.watching import Cluster, both_serve, served_by, server, staleness
from tests.replication.mysql.servers import DATABASE, REPLICATION, MySQLServer, ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, put, stored

pytestmark = pytest.mark.mysql
BOUND = 0.5
STALLED = ["stalled", "stalled"]
ROUTINE = "CREATE FUNCTION untrusted() RETURNS INT RETURN 1"
ERRANT = f"{uuid.uuid4()}:1"


@contextmanager
def applier_failed(servers: ReplicaSet) -> Iterator[None]:
    """Error 1418: the source trusts who creates functions, the replica does not."""
    for each in servers.replicas:
        each.query("SET GLOBAL log_bin_trust_function_creators = OFF")
    servers.source.query(ROUTINE, database=DATABASE)
    try:
        yield
    finally:
        for each in servers.replicas:
            each.query("SET GLOBAL log_bin_trust_function_creators = ON")
            each.query("START REPLICA SQL_THREAD")
        servers.source.query("DROP FUNCTION untrusted", database=DATABASE)
        servers.catch_up()


@contextmanager
def receiver_stopped(servers: ReplicaSet) -> Iterator[None]:
    servers.replica1.query("STOP REPLICA IO_THREAD")
    try:
        yield
    finally:
        servers.replica1.query("START REPLICA IO_THREAD")


@contextmanager
def receiver_locked_out(servers: ReplicaSet) -> Iterator[None]:
    """It tries to connect again and again."""
    password(servers, "wrong")
    try:
        yield
    finally:
        password(servers, REPLICATION.password)


def password(servers: ReplicaSet, text: str) -> None:
    servers.replica1.query("STOP REPLICA IO_THREAD")
    servers.replica1.query("CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = %s", text)
    servers.replica1.query("START REPLICA IO_THREAD")


@contextmanager
def applier_blocked(servers: ReplicaSet) -> Iterator[None]:
    """By a lock: both threads of the replica say that they run."""
    with servers.replica1.connect() as holder, holder.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        yield


def left(cluster: Cluster) -> bool:
    return server(cluster, "replica1").state == "stalled" or staleness(cluster, "replica1") > BOUND


Standing = Callable[[ReplicaSet], AbstractContextManager[None]]


@pytest.mark.parametrize("standing", [receiver_stopped, receiver_locked_out, applier_blocked])
def test_a_replica_that_is_stalled_leaves_and_returns_only_with_the_data(
    standing: Standing, cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(routing=RoutingPolicy(staleness_bound=BOUND))
    eventually("both serve", lambda: both_serve(cluster))
    with standing(servers):
        cluster.write(put(table, 1))
        assert servers.replica2.has(servers.source.executed())
        eventually("it leaves", lambda: left(cluster))
        for number in range(2, 6):
            cluster.write(put(table, number))
            assert served_by(cluster) == {"replica2"}
    eventually("it is back", lambda: both_serve(cluster))
    assert staleness(cluster, "replica1") <= BOUND


def test_replicas_whose_applier_failed_leave_and_the_source_does_not_drown(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    """Both have failed, so the remaining one may serve an older state, but never for what the reader wrote."""
    cluster = cluster_for()
    eventually("both serve", lambda: both_serve(cluster))
    with applier_failed(servers):
        eventually("both are seen", lambda: [server(cluster, each.name).state for each in servers.replicas] == STALLED)
        assert "1418" in server(cluster, "replica1").reason
        with cluster.causal() as context:
            cluster.write(put(table, 1))
            with cluster.reader() as session:
                assert stored(session, table) == [1]
        assert [each.server for each in context.served] == ["source", "source"]
        assert served_by(cluster) <= {"replica1", "replica2"}
    eventually("both are back", lambda: both_serve(cluster))


def test_a_replica_with_a_transaction_of_its_own_is_not_read(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet
) -> None:
    eventually("both serve", lambda: both_serve(cluster))
    commit_nothing(servers.replica1)
    try:
        eventually("it is refused", lambda: server(cluster, "replica1").state == "refused")
        assert ERRANT in server(cluster, "replica1").reason
        assert served_by(cluster) == {"replica2"}
    finally:
        commit_nothing(servers.source)
    eventually("it is read again", lambda: both_serve(cluster))


def commit_nothing(server: MySQLServer) -> None:
    """An empty transaction under that GTID; read-only servers take one."""
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in (f"SET GTID_NEXT = '{ERRANT}'", "BEGIN", "COMMIT", "SET GTID_NEXT = AUTOMATIC"):
            cursor.execute(statement)
