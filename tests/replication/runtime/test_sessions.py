"""Units of work on the real servers: where they go, what they cost, what their errors are."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from inventory_replication import (
    ConnectionLimits,
    Credentials,
    MonitorPolicy,
    ReplicatedCluster,
    RetryPolicy,
    RoutingPolicy,
)
from inventory_replication.errors import AccessRefused, DatabaseBusy, NoEligibleReplica, SourceUnavailable
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import ReplicaSet
from tests.replication.runtime.clusters import ClusterFor, notes, placed, put, reasons, stored

pytestmark = pytest.mark.mysql
T = TypeVar("T")


def in_another_thread(write: Callable[[Callable[[Session], T]], T], work: Callable[[Session], T]) -> T:
    """Write while a write of this thread is running, which may not nest."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(write, work).result(60)


def test_a_reader_is_served_by_a_replica_and_a_write_by_the_source(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    uuids = []
    cluster.write(lambda session: uuids.append(session.scalar(text("SELECT @@server_uuid"))))
    with cluster.reader() as session:
        uuids.append(session.scalar(text("SELECT @@server_uuid").execution_options(read_only=True)))
        assert stored(session, table) == []

    assert uuids[0] == servers.source.uuid
    assert uuids[1] in {servers.replica1.uuid, servers.replica2.uuid}


def test_a_reader_who_requests_the_source_gets_it_and_cannot_write_there(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    with cluster.causal() as context, cluster.reader(from_source=True) as session:
        own = text("SELECT @@server_uuid, @@transaction_read_only").execution_options(read_only=True)
        assert tuple(session.execute(own).one()) == (servers.source.uuid, 1)
        assert stored(session, table) == []

    assert reasons(context) == ["source_asked"]


def test_readers_are_shared_out_over_the_replicas(cluster: ReplicatedCluster[Session]) -> None:
    with cluster.causal() as context:
        for _ in range(40):
            with cluster.reader():
                pass

    assert {each.server for each in context.served} == {"replica1", "replica2"}


def test_a_bound_that_no_replica_can_prove_sends_the_reader_to_the_source(
    cluster: ReplicatedCluster[Session],
) -> None:
    with cluster.causal() as context, cluster.reader(staleness_bound=0.0):
        pass

    assert reasons(context) == ["source_no_replica"]


def test_a_reader_sees_one_moment(cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str) -> None:
    cluster.write(put(table, 1))
    servers.catch_up()
    with cluster.reader() as session:
        before = stored(session, table)
        cluster.write(put(table, 2))
        servers.catch_up()
        assert stored(session, table) == before == [1]


def test_a_write_returns_its_result_and_stores_all_of_it_or_nothing(
    cluster: ReplicatedCluster[Session], table: str
) -> None:
    def broken(session: Session) -> None:
        put(table, 2)(session)
        raise LookupError("the work itself")

    assert cluster.write(put(table, 1)) == 1
    with pytest.raises(LookupError, match="the work itself"):
        cluster.write(broken)
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1]


def test_an_integrity_error_reaches_the_work_and_the_caller_as_it_is(
    cluster: ReplicatedCluster[Session], table: str
) -> None:
    cluster.write(put(table, 1))
    seen = []

    def twice(session: Session) -> None:
        try:
            put(table, 1)(session)
        except IntegrityError as fault:
            seen.append(fault)
            raise

    with pytest.raises(IntegrityError) as caught:
        cluster.write(twice)

    assert seen == [caught.value]


def test_a_deadlock_is_repeated_until_it_is_none(cluster: ReplicatedCluster[Session], table: str) -> None:
    cluster.write(lambda session: [put(table, number)(session) for number in (1, 2)])
    both = threading.Barrier(2)
    runs: list[int] = []

    def crossing(first: int, second: int) -> None:
        met = False

        def work(session: Session) -> None:
            nonlocal met
            runs.append(first)
            session.execute(update(notes(table)).where(notes(table).c.id == first).values(note="a"))
            if not met:
                met = True
                both.wait(20)
            session.execute(update(notes(table)).where(notes(table).c.id == second).values(note="b"))

        cluster.write(work)

    other = threading.Thread(target=crossing, args=(2, 1))
    other.start()
    crossing(1, 2)
    other.join(30)

    assert len(runs) == 3
    assert 'repeats_total{fault="conflict"} 1' in cluster.metrics()


def test_a_lock_that_is_never_granted_ends_with_a_message(cluster_for: ClusterFor, table: str) -> None:
    cluster = cluster_for(
        limits=ConnectionLimits(read_timeout=2.0), retry=RetryPolicy(attempts=2, first_delay=0.0, max_delay=0.0)
    )
    cluster.write(put(table, 1))
    change = update(notes(table)).where(notes(table).c.id == 1).values(note="a")
    runs: list[int] = []

    def holding(session: Session) -> None:
        session.execute(change)

        def blocked(inner: Session) -> None:
            runs.append(1)
            inner.execute(change)

        with pytest.raises(DatabaseBusy, match="Nothing was changed"):
            in_another_thread(cluster.write, blocked)

    cluster.write(holding)

    assert len(runs) == 2


def test_a_unit_that_committed_on_the_way_is_not_run_again(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    """DDL commits: what was stored before it would be stored twice."""
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        put(table, len(runs))(session)
        session.execute(text(f"ALTER TABLE {table} COMMENT 'x'"))
        connection = session.scalar(text("SELECT CONNECTION_ID()"))
        servers.source.query("KILL %s", connection)
        put(table, 100)(session)

    with pytest.raises(Exception, match=r"Lost connection|gone away"):
        cluster.write(work)
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1]
    assert runs == [1]


def test_a_unit_of_work_costs_the_round_trips_of_its_statements_and_of_its_end(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.source.address) as source, FaultProxy(servers.replica1.address) as replica:
        cluster = cluster_for(
            servers=placed(servers, source=source, replica1=replica)[:2],
            monitor=MonitorPolicy(poll_interval=1000),
            routing=RoutingPolicy(staleness_bound=900, last_resort_bound=900),
        )
        cluster.write(put(table, 1))
        with cluster.reader() as session:
            stored(session, table)
        with cluster.causal() as context:
            with source.counting() as sent:
                cluster.write(put(table, 2))
                assert sent() == len(["INSERT", "COMMIT"])
            with replica.counting() as sent, cluster.reader() as session:
                assert 2 in stored(session, table)
            assert sent() == len(["WAIT", "SELECT", "ROLLBACK"])
            assert context.token
        with replica.counting() as sent, cluster.reader() as session:
            stored(session, table)
        assert sent() == len(["SELECT", "ROLLBACK"])
        with replica.counting() as sent, cluster.reader():
            pass
        assert sent() == 0
        cluster.close()

    assert reasons(context) == ["write", "replica_wait"]


def test_wrong_passwords_are_reported_in_one_line_that_names_the_server(cluster_for: ClusterFor, table: str) -> None:
    cluster = cluster_for(app=Credentials("app", "wrong"))

    with pytest.raises(AccessRefused, match=r"^source refused the login: .*1045"):
        cluster.write(put(table, 1))
    with pytest.raises(AccessRefused, match="refused the login"), cluster.reader():
        pass


def test_reads_and_writes_are_refused_with_a_message_if_no_server_answers(
    cluster_for: ClusterFor, servers: ReplicaSet
) -> None:
    with FaultProxy(servers.source.address) as proxy:
        nobody = placed(servers, source=proxy)[:1]
    cluster = cluster_for(servers=nobody)

    with pytest.raises(SourceUnavailable, match="nothing was changed"):
        cluster.write(type)
    with pytest.raises(NoEligibleReplica), cluster.reader():
        pass
    assert cluster.status().mode == "down"


def test_when_every_connection_of_the_process_is_taken_the_next_unit_is_refused_in_words(
    cluster_for: ClusterFor, table: str
) -> None:
    cluster = cluster_for(limits=ConnectionLimits(pool_size=1, pool_timeout=0.1))

    def one_more(_: Session) -> None:
        with pytest.raises(DatabaseBusy, match="All connections of this process to source are taken"):
            in_another_thread(cluster.write, put(table, 3))

    def within(_: Session) -> None:
        in_another_thread(cluster.write, one_more)

    cluster.write(within)


def test_sessions_are_of_the_configured_class(cluster_for: ClusterFor) -> None:
    class OwnSession(Session):
        pass

    with ReplicatedCluster(cluster_for().config, OwnSession) as cluster:
        assert issubclass(cluster.write(type), OwnSession)
        with cluster.reader() as session:
            assert isinstance(session, OwnSession)
