"""A replica that becomes unresponsive under its readers: they are served elsewhere, long before a time-out."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_replication import BreakerPolicy, ConnectionLimits, MonitorPolicy, RoutingPolicy
from inventory_replication.errors import ServerLost
from tests.replication.faults.watching import ASK, BREAKER, WATCHFUL, Cluster, served_by, server
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import BOUND, MySQLServer, ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, placed, put, reasons, stored

pytestmark = pytest.mark.mysql
PATIENT = ConnectionLimits(read_timeout=600.0, connect_timeout=0.5)
"""Whoever waits for this time-out is not seen to end by any test."""
ANY_AGE = RoutingPolicy(staleness_bound=900.0, last_resort_bound=900.0, causal_wait_timeout=400.0)
NEVER_DECIDES = MonitorPolicy(
    poll_interval=0.05, connect_timeout=0.2, read_timeout=0.2, breaker=BreakerPolicy(failures_to_open=10_000)
)
ONE_QUESTION = MonitorPolicy(
    poll_interval=0.05,
    connect_timeout=0.5,
    read_timeout=0.5,
    breaker=BreakerPolicy(failures_to_open=1, first_delay=900.0, max_delay=900.0),
)
"""Its breaker opens at the first question without an answer, and then it does not ask again."""
SEVERAL_ROUNDS = 1.0
"""Seconds; what is not to happen in them would happen in any round."""
READERS = 4
WITHOUT_END = text("SELECT SLEEP(120)").execution_options(read_only=True)
Begin = Callable[..., "Future[Any]"]


@pytest.fixture
def begin(servers: ReplicaSet) -> Iterator[Begin]:
    """Runs something in a thread; whatever sleeps at the end is woken."""
    with ThreadPoolExecutor(2 * READERS) as threads:
        yield threads.submit
        for each in servers.servers:
            wake(each)


def read(cluster: Cluster, statement: Any = ASK, **requested: Any) -> Any:
    with cluster.reader(**requested) as session:
        return session.scalar(statement)


def read_again(cluster: Cluster) -> tuple[str, list[str]]:
    """What came of a read without end, and who answered the next one."""
    with cluster.causal() as context:
        try:
            read(cluster, WITHOUT_END)
        except ServerLost as fault:
            read(cluster)
            return fault.server, [each.server for each in context.served]
    return "", []


def asleep(on: MySQLServer) -> list[int]:
    """The connections on which a statement sleeps."""
    return [row[0] for row in on.query("SELECT ID FROM performance_schema.processlist WHERE STATE = 'User sleep'")]


def wake(on: MySQLServer) -> None:
    for each in asleep(on):
        on.query("KILL QUERY %s", each)


def woken(on: MySQLServer, waiting: "Future[Any]") -> int:
    """End the sleep, which is all that its reader waits for, and give what the reader got: 1 where it was interrupted."""
    wake(on)
    return int(waiting.result(BOUND))


def served_by_the_replica(cluster: Cluster) -> bool:
    return served_by(cluster) == {"replica1"}


def breaker(cluster: Cluster, name: str) -> str:
    return server(cluster, name).breaker


def cut_off(cluster: Cluster) -> list[str]:
    return [line for line in cluster.metrics().splitlines() if line.startswith("inventory_replication_cut_off_total")]


def test_reads_under_way_on_the_only_replica_are_made_again_on_the_source_when_it_freezes(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = cluster_for(servers=placed(servers)[:2], monitor=WATCHFUL, limits=PATIENT)
    eventually("it serves", lambda: served_by_the_replica(cluster))
    waiting = [begin(read_again, cluster) for _ in range(READERS)]
    eventually("all are under way", lambda: len(asleep(servers.replica1)) == READERS)
    with servers.replica1.frozen():
        answers = [each.result(BOUND) for each in waiting]

    assert answers == [("replica1", ["replica1", "source"])] * READERS
    reported = [each.getMessage() for each in caplog.records if "cut off" in each.getMessage()]
    assert reported == [f"replica1 does not answer; readers cut off, to be served elsewhere: {READERS}"]
    assert cut_off(cluster) == [f'inventory_replication_cut_off_total{{server="replica1"}} {READERS}']
    eventually("it is back", lambda: served_by_the_replica(cluster))
    assert server(cluster, "replica1").in_flight == 0


def test_a_reader_that_waits_for_its_own_change_on_a_frozen_replica_gets_it_from_the_source(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin, table: str
) -> None:
    cluster = cluster_for(servers=placed(servers)[:2], monitor=WATCHFUL, limits=PATIENT, routing=ANY_AGE)
    eventually("it serves", lambda: served_by_the_replica(cluster))

    def change_and_look() -> tuple[list[int], list[str]]:
        with cluster.causal() as context:
            cluster.write(put(table, 1))
            with cluster.reader() as session:
                return stored(session, table), reasons(context)

    with servers.replica1.connect() as holder, holder.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        waiting = begin(change_and_look)
        eventually("it waits", lambda: server(cluster, "replica1").in_flight == 1)
        with servers.replica1.frozen():
            assert waiting.result(BOUND) == ([1], ["write", "source_no_replica"])


def test_readers_are_not_interrupted_before_the_breaker_opens(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin
) -> None:
    cluster = cluster_for(servers=placed(servers)[:2], monitor=NEVER_DECIDES, limits=PATIENT)
    eventually("it serves", lambda: served_by_the_replica(cluster))
    waiting = begin(read, cluster, WITHOUT_END)
    eventually("it is under way", lambda: asleep(servers.replica1))
    with servers.replica1.frozen():
        eventually("it is out of service", lambda: server(cluster, "replica1").state == "unreachable")
        sleep(SEVERAL_ROUNDS)

    assert woken(servers.replica1, waiting) == 1
    assert cut_off(cluster) == []


def test_one_missed_probe_interrupts_no_reader(cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin) -> None:
    cluster = cluster_for(servers=placed(servers)[:2], monitor=ONE_QUESTION, limits=PATIENT)
    eventually("it serves", lambda: served_by_the_replica(cluster))
    waiting = begin(read, cluster, WITHOUT_END)
    eventually("it is under way", lambda: asleep(servers.replica1))
    with servers.replica1.frozen():
        eventually("its breaker opens", lambda: breaker(cluster, "replica1") == "open")
        sleep(SEVERAL_ROUNDS)

    assert woken(servers.replica1, waiting) == 1
    assert cut_off(cluster) == []


def test_a_long_read_on_a_replica_that_answers_the_monitor_is_not_cut_off_though_its_breaker_is_open(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin
) -> None:
    """It takes no new connection, of which readers tell; those of the monitor and of the long reader go on."""
    with FaultProxy(servers.replica1.address) as proxy:
        monitor = MonitorPolicy(poll_interval=0.05, connect_timeout=0.5, read_timeout=5.0, breaker=BREAKER)
        cluster = cluster_for(servers=placed(servers, replica1=proxy)[:2], monitor=monitor, limits=PATIENT)
        eventually("it serves", lambda: served_by_the_replica(cluster))
        waiting = begin(read, cluster, WITHOUT_END)
        eventually("it is under way", lambda: asleep(servers.replica1))
        proxy.accepting = False
        for _ in range(2 * BREAKER.failures_to_open):
            read(cluster)
            sleep(SEVERAL_ROUNDS / 4)

        assert 'fault="timed_out"} ' in cluster.metrics()
        assert woken(servers.replica1, waiting) == 1
        assert cut_off(cluster) == []
        cluster.close()


def test_a_wait_goes_on_until_the_server_is_back_if_no_other_can_be_read(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin
) -> None:
    cluster = cluster_for(servers=placed(servers)[1:2], monitor=WATCHFUL, limits=PATIENT, routing=ANY_AGE)
    eventually("it serves", lambda: served_by_the_replica(cluster))
    waiting = begin(read, cluster, WITHOUT_END)
    eventually("it is under way", lambda: asleep(servers.replica1))
    with servers.replica1.frozen():
        eventually("its breaker opens", lambda: breaker(cluster, "replica1") == "open")
        sleep(SEVERAL_ROUNDS)

    assert woken(servers.replica1, waiting) == 1
    assert cut_off(cluster) == []


def test_what_is_under_way_on_a_source_that_freezes_goes_on_and_a_write_is_stored_once(
    cluster_for: ClusterFor, servers: ReplicaSet, begin: Begin, table: str
) -> None:
    cluster = cluster_for(monitor=WATCHFUL, limits=PATIENT)
    eventually("the source is known", lambda: cluster.status().mode == "normal")

    def slowly(session: Session) -> int:
        interrupted = session.scalar(WITHOUT_END)
        put(table, 1)(session)
        return int(interrupted or 0)

    writing = begin(cluster.write, slowly)
    reading = begin(read, cluster, WITHOUT_END, from_source=True)
    eventually("both are under way", lambda: len(asleep(servers.source)) == 2)
    with servers.source.frozen():
        eventually("its breaker opens", lambda: breaker(cluster, "source") == "open")
        sleep(SEVERAL_ROUNDS)
    eventually("it is back", lambda: cluster.status().mode == "normal")

    assert woken(servers.source, writing) == 1
    assert reading.result(BOUND) == 1
    assert cut_off(cluster) == []
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1]
