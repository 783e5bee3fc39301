"""Bad networks between the process and a replica: readers end in bounded time, other servers serve, and there is no retry storm."""

import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from inventory_replication import BreakerPolicy, ConnectionLimits, MonitorPolicy, Server
from tests.replication.faults.watching import both_serve, outcomes, served_by, server, staleness
from tests.replication.mysql.fault_proxy import HEALTHY, Ending, Fault, FaultProxy
from tests.replication.mysql.servers import ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, placed, stored

pytestmark = pytest.mark.mysql
NOWHERE = ("127.0.0.1", 9)
LIMITS = ConnectionLimits(pool_size=4, read_timeout=0.5, connect_timeout=0.5, pool_timeout=2.0)
PATIENT = BreakerPolicy(failures_to_open=2, first_delay=2.0, max_delay=2.0)
SHORTEST_PAUSE = PATIENT.first_delay / 2
MONITOR = MonitorPolicy(poll_interval=0.05, connect_timeout=0.5, read_timeout=0.5, breaker=PATIENT)
READERS = 200


def swallow(proxy: FaultProxy) -> None:
    proxy.to_client = Fault(blackhole=True)


def half_open(proxy: FaultProxy) -> None:
    proxy.to_client = Fault(after_bytes=3, ending=Ending.HALF_OPEN)


def drip(proxy: FaultProxy) -> None:
    proxy.to_client = Fault(bytes_per_second=1.0)


def reset(proxy: FaultProxy) -> None:
    proxy.upstream = NOWHERE
    proxy.cut(Ending.RESET)


def hang(proxy: FaultProxy) -> None:
    """Connections are accepted and never greeted."""
    proxy.accepting = False
    proxy.cut()


@pytest.mark.parametrize("break_it", [swallow, half_open, drip, reset, hang])
def test_a_bad_way_to_one_replica_holds_up_few_and_is_soon_not_taken(
    break_it: Callable[[FaultProxy], None], cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.replica1.address) as proxy:
        cluster = cluster_for(servers=placed(servers, replica1=proxy), monitor=MONITOR, limits=LIMITS)
        eventually("both serve", lambda: both_serve(cluster))
        upstream = proxy.upstream
        break_it(proxy)
        first = outcomes(cluster, 20, lambda session: stored(session, table))
        eventually("it is seen", lambda: server(cluster, "replica1").breaker == "open")
        tried, since = proxy.connections, monotonic()
        later = outcomes(cluster, READERS, lambda session: stored(session, table))
        assert set(first) <= {"read", "lost"}
        assert later == {"read": READERS}
        pauses = (monotonic() - since) / SHORTEST_PAUSE
        assert proxy.connections - tried <= pauses + 2, "a server that does not answer was stormed"
        assert served_by(cluster) == {"replica2"}

        proxy.upstream, proxy.accepting, proxy.to_client = upstream, True, HEALTHY
        proxy.cut()
        eventually("it is back", lambda: both_serve(cluster))
        cluster.close()


def test_a_replica_that_takes_no_new_connection_is_left_alone_although_it_answers_on_old_ones(
    cluster_for: ClusterFor, servers: ReplicaSet
) -> None:
    """The monitor has one and finds nothing wrong; those who need one tell."""
    long = BreakerPolicy(failures_to_open=2, first_delay=120.0, max_delay=120.0)
    with FaultProxy(servers.replica1.address) as proxy:
        cluster = cluster_for(
            servers=placed(servers, replica1=proxy),
            monitor=MonitorPolicy(poll_interval=0.05, connect_timeout=0.5, read_timeout=5.0, breaker=long),
            limits=LIMITS,
        )
        eventually("all are known", lambda: max(staleness(cluster, name) for name in ("replica1", "replica2")) < 1)
        tried = proxy.connections
        proxy.accepting = False
        assert served_by(cluster) == {"replica2"}
        assert proxy.connections - tried == long.failures_to_open
        assert server(cluster, "replica1").breaker == "open"
        cluster.close()


def test_an_unresolvable_host_name_removes_only_its_replica(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"replica1": True}
    resolve = socket.getaddrinfo

    def names(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "replica1" and not known["replica1"]:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve("127.0.0.1" if host == "replica1" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", names)
    with FaultProxy(servers.replica1.address) as proxy:
        source, _, replica2 = placed(servers)
        cluster = cluster_for(
            servers=(source, Server("replica1", "replica1", proxy.port), replica2), monitor=MONITOR, limits=LIMITS
        )
        eventually("both serve", lambda: both_serve(cluster))
        known["replica1"] = False
        proxy.cut()
        seen = outcomes(cluster, READERS, lambda session: stored(session, table))
        eventually("it is seen", lambda: server(cluster, "replica1").state == "unreachable")
        assert set(seen) <= {"read", "lost"}
        assert served_by(cluster) == {"replica2"}

        known["replica1"] = True
        eventually("it is back", lambda: both_serve(cluster))
        cluster.close()


def test_replicas_that_are_killed_leave_everything_to_the_source_until_they_are_back(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    with FaultProxy(servers.replica1.address) as one, FaultProxy(servers.replica2.address) as two:
        cluster = cluster_for(servers=placed(servers, replica1=one, replica2=two), monitor=MONITOR, limits=LIMITS)
        eventually("both serve", lambda: both_serve(cluster))
        for each in servers.replicas:
            each.kill()
        try:
            seen = outcomes(cluster, 40, lambda session: stored(session, table))
            eventually("both are seen", lambda: cluster.status().mode == "source_only")
            assert set(seen) <= {"read", "lost"}
            assert served_by(cluster) == {"source"}
        finally:
            for proxy, each in ((one, servers.replica1), (two, servers.replica2)):
                each.start()
                proxy.upstream = each.address
        eventually("both are back", lambda: both_serve(cluster))
        cluster.close()
