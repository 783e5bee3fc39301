"""The monitor finds what is wrong, and units of work go where they can go."""

import os
import threading
import time

import pytest
import time_machine
from sqlalchemy.orm import Session

from inventory_replication import BreakerPolicy, MonitorPolicy, ReplicatedCluster, RoutingPolicy
from inventory_replication.errors import (
    CausalTimeout,
    ConfigurationError,
    NoEligibleReplica,
    SourceUnavailable,
    SplitBrainDetected,
)
from tests.replication.mysql.fault_proxy import Fault, FaultProxy
from tests.replication.mysql.servers import ReplicaSet, eventually
from tests.replication.runtime.clusters import (
    ClusterFor,
    applier_stopped,
    mode,
    placed,
    put,
    read_only,
    reasons,
    states,
    stored,
    writable,
)

pytestmark = pytest.mark.mysql
BREAKER = BreakerPolicy(failures_to_open=2, first_delay=0.2, max_delay=0.4)
WATCHFUL = MonitorPolicy(poll_interval=0.05, connect_timeout=0.3, read_timeout=0.3, breaker=BREAKER)


def served_by(cluster: ReplicatedCluster[Session], times: int = 12) -> set[str]:
    with cluster.causal() as context:
        for _ in range(times):
            with cluster.reader() as session:
                session.connection()
    return {each.server for each in context.served}


def staleness(cluster: ReplicatedCluster[Session], name: str) -> float:
    proved = next(each.staleness_seconds for each in cluster.status().servers if each.name == name)
    return float("inf") if proved is None else proved


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("inventory-replication")]


def test_nothing_is_connected_and_no_thread_runs_before_the_first_use(cluster: ReplicatedCluster[Session]) -> None:
    assert threads() == []
    with cluster.reader():
        assert threads() == ["inventory-replication monitor"]
    cluster.close()
    assert threads() == []


def test_a_closed_cluster_begins_anew(cluster: ReplicatedCluster[Session], table: str) -> None:
    cluster.write(put(table, 1))
    cluster.close()
    cluster.write(put(table, 2))
    with cluster.reader(from_source=True) as session:
        assert stored(session, table) == [1, 2]


def test_many_threads_share_one_monitor(cluster: ReplicatedCluster[Session], table: str) -> None:
    failed: list[BaseException] = []

    def use(number: int) -> None:
        try:
            with cluster.causal():
                cluster.write(put(table, number))
                with cluster.reader() as session:
                    assert number in stored(session, table)
        except BaseException as fault:
            failed.append(fault)
            raise

    workers = [threading.Thread(target=use, args=(number,)) for number in range(16)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)

    assert failed == []
    assert threads() == ["inventory-replication monitor"]
    assert {each.in_flight for each in cluster.status().servers} == {0}


def test_a_replica_whose_applier_stops_leaves_and_comes_back(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet
) -> None:
    eventually("both serve", lambda: served_by(cluster) == {"replica1", "replica2"})
    with applier_stopped(servers.replica1):
        eventually("it is seen", lambda: states(cluster)["replica1"] == "stalled")
        assert served_by(cluster, 40) == {"replica2"}
    eventually("it is back", lambda: served_by(cluster) == {"replica1", "replica2"})


def test_a_replica_that_falls_behind_its_bound_leaves(cluster_for: ClusterFor, servers: ReplicaSet, table: str) -> None:
    cluster = cluster_for(routing=RoutingPolicy(staleness_bound=0.5))
    servers.replica1.query("STOP REPLICA SQL_THREAD")
    servers.replica1.query("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 30")
    servers.replica1.query("START REPLICA SQL_THREAD")
    try:
        cluster.write(put(table, 1))
        eventually("it falls behind", lambda: staleness(cluster, "replica1") > 0.5)
        assert served_by(cluster, 40) == {"replica2"}
    finally:
        servers.replica1.query("STOP REPLICA SQL_THREAD")
        servers.replica1.query("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0")
        servers.replica1.query("START REPLICA SQL_THREAD")


def test_a_frozen_replica_is_left_alone_and_holds_up_no_one(cluster_for: ClusterFor, servers: ReplicaSet) -> None:
    cluster = cluster_for(monitor=WATCHFUL)
    eventually("both serve", lambda: served_by(cluster) == {"replica1", "replica2"})
    with servers.replica1.frozen():
        eventually("it is seen", lambda: states(cluster)["replica1"] == "unreachable")
        assert served_by(cluster, 40) == {"replica2"}
        eventually("its breaker opens", lambda: 'breaker{server="replica1",state="open"} 1' in cluster.metrics())
        eventually("the other one is looked at as ever", lambda: staleness(cluster, "replica2") < 0.25)
        assert mode(cluster) == "normal"
    eventually("it is back", lambda: served_by(cluster) == {"replica1", "replica2"})


def test_a_replica_that_is_killed_costs_no_reader_an_error(cluster_for: ClusterFor, servers: ReplicaSet) -> None:
    """The monitor has not looked since: the pooled connections themselves are found dead before they are handed out."""
    cluster = cluster_for(
        servers=placed(servers)[:2],
        monitor=MonitorPolicy(poll_interval=1000),
        routing=RoutingPolicy(staleness_bound=900, last_resort_bound=900),
    )
    assert served_by(cluster) == {"replica1"}
    servers.replica1.kill()
    try:
        with cluster.causal() as context, cluster.reader() as session:
            assert session.connection().exec_driver_sql("SELECT 1", execution_options={"read_only": True}).scalar() == 1
        assert [each.server for each in context.served] == ["source"]
    finally:
        servers.replica1.start()


def test_a_replica_that_cannot_be_reached_is_replaced_before_anything_is_handed_over(
    cluster_for: ClusterFor, servers: ReplicaSet
) -> None:
    with FaultProxy(servers.replica1.address) as proxy:
        cluster = cluster_for(servers=placed(servers, replica1=proxy), monitor=MonitorPolicy(poll_interval=1000))
        cluster.status()
        proxy.to_client = Fault(after_bytes=0)
        assert served_by(cluster, 30) == {"replica2"}
        cluster.close()


def test_with_every_replica_gone_the_source_does_everything(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.replica1.address) as one, FaultProxy(servers.replica2.address) as two:
        cluster = cluster_for(servers=placed(servers, replica1=one, replica2=two), monitor=WATCHFUL)
        assert mode(cluster) == "normal"
        upstream = one.upstream, two.upstream
        one.upstream = two.upstream = ("127.0.0.1", 9)
        one.cut()
        two.cut()
        eventually("the replicas are gone", lambda: mode(cluster) == "source_only")
        cluster.write(put(table, 1))
        assert served_by(cluster) == {"source"}
        one.upstream, two.upstream = upstream
        eventually("they are back", lambda: mode(cluster) == "normal")
        cluster.close()


def test_without_a_source_writes_fail_at_once_and_readers_go_on(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.source.address) as proxy:
        cluster = cluster_for(servers=placed(servers, source=proxy), monitor=WATCHFUL)
        with cluster.causal() as context:
            cluster.write(put(table, 1))
        servers.catch_up()
        proxy.upstream = ("127.0.0.1", 9)
        proxy.cut()
        eventually("it is seen", lambda: mode(cluster) == "read_only")
        with pytest.raises(SourceUnavailable, match="nothing was changed"):
            cluster.write(put(table, 2))
        with cluster.reader() as session:
            assert stored(session, table) == [1]
        with cluster.causal(context.token), cluster.reader() as session:
            assert stored(session, table) == [1]
        time.sleep(0.3)
        with pytest.raises(NoEligibleReplica), cluster.reader(staleness_bound=0.2):
            pass
        with pytest.raises(SourceUnavailable), cluster.reader(from_source=True):
            pass
        with pytest.raises(CausalTimeout), cluster.causal("no token"), cluster.reader():
            pass
        with cluster.causal("no token") as stale, cluster.reader(allow_stale=True) as session:
            assert stored(session, table) == [1]
        assert reasons(stale) == ["replica_stale_allowed"]
        cluster.close()


def test_two_servers_that_take_writes_are_both_not_written_to(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    cluster.write(put(table, 1))
    writable(servers.replica1)
    try:
        eventually("it is seen", lambda: cluster.status().source is None)
        with pytest.raises(SplitBrainDetected, match="super_read_only") as caught:
            cluster.write(put(table, 2))
        assert caught.value.servers == ("source", "replica1")
        assert served_by(cluster, 40) == {"replica2"}
    finally:
        servers.replica1.query("SET GLOBAL super_read_only = ON")
    eventually("the source is found again", lambda: cluster.status().source == "source")
    cluster.write(put(table, 3))


def test_a_source_that_is_read_only_for_a_moment_is_waited_for(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    """Nobody but the pause of a switchover is seen by those who write."""
    cluster.write(put(table, 1))
    servers.source.query("SET GLOBAL super_read_only = ON")
    later = threading.Timer(0.3, writable, args=(servers.source,))
    later.start()
    try:
        cluster.write(put(table, 2))
    finally:
        later.join()
        writable(servers.source)

    assert 'repeats_total{fault="read_only"} 1' in cluster.metrics()


def test_a_source_that_stays_read_only_ends_in_words(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    cluster.write(put(table, 1))
    with read_only(servers.source):
        with pytest.raises(SourceUnavailable):
            cluster.write(put(table, 2))
        eventually("nothing writes", lambda: mode(cluster) == "read_only")
        assert served_by(cluster)
    eventually("it is the source again", lambda: mode(cluster) == "normal")
    cluster.write(put(table, 2))

    assert cluster.status().epoch == 1


def test_a_source_that_no_longer_waits_for_a_replica_raises_an_alarm(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, caplog: pytest.LogCaptureFixture
) -> None:
    servers.source.query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
    try:
        servers.source.query("SET GLOBAL rpl_semi_sync_source_wait_no_replica = ON, rpl_semi_sync_source_enabled = ON")
        eventually("it is on", lambda: cluster.status().servers[0].semisync)
        servers.source.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF")
        eventually("it is seen", lambda: cluster.status().servers[0].semisync is False)
        assert 'semisync{server="source"} 0' in cluster.metrics()
    finally:
        servers.source.query("UNINSTALL PLUGIN rpl_semi_sync_source")

    assert "may be lost with it" in caplog.text


def test_a_server_that_is_drained_gets_nothing_new_and_can_be_restored(cluster: ReplicatedCluster[Session]) -> None:
    with cluster.reader():
        cluster.drain("replica1")
    assert served_by(cluster, 40) == {"replica2"}
    assert states(cluster)["replica1"] == "draining"
    cluster.restore("replica1")
    eventually("it serves again", lambda: served_by(cluster, 40) == {"replica1", "replica2"})
    with pytest.raises(ConfigurationError, match="no server 'replica9'"):
        cluster.drain("replica9")


def test_replicas_alone_serve_readers_and_no_writer(cluster_for: ClusterFor, servers: ReplicaSet) -> None:
    cluster = cluster_for(servers=placed(servers)[1:])

    assert cluster.status().source is None
    assert mode(cluster) == "read_only"
    eventually("both serve", lambda: served_by(cluster) == {"replica1", "replica2"})


def test_a_child_process_begins_anew_and_leaves_the_parents_connections_alone(
    cluster: ReplicatedCluster[Session], table: str
) -> None:
    cluster.write(put(table, 1))
    with cluster.causal() as context, cluster.reader(from_source=True) as session:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                cluster.write(put(table, 2))
                with cluster.reader(from_source=True) as own:
                    reported = f"{stored(own, table)} {threads()}"
                cluster.close()
                os.write(writer, reported.encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            reported = answer.read()
        os.waitpid(child, 0)
        assert stored(session, table) == [1, 2]

    assert reported == "[1, 2] ['inventory-replication monitor']"
    cluster.write(put(table, 3))
    assert [each.role for each in context.served] == ["source"]


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_jumps_changes_nothing(jump: int, cluster: ReplicatedCluster[Session], table: str) -> None:
    with cluster.causal() as before:
        cluster.write(put(table, 1))
    with time_machine.travel(time.time() + jump), cluster.causal(before.token) as context:
        cluster.write(put(table, 2))
        with cluster.reader() as session:
            assert stored(session, table) == [1, 2]

    assert mode(cluster) == "normal"
    assert context.rejected is None
