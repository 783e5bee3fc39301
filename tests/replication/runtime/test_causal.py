"""Every client sees its own writes, whichever process answers, and no forged token is believed."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_replication import CausalContext, MonitorPolicy, ReplicatedCluster, RoutingPolicy, TokenKey, TokenPolicy
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.errors import CausalTimeout
from inventory_replication.mysql.connection import CommittedGtids, GtidSource, TrackingConnection
from tests.replication.mysql.servers import DATABASE, ReplicaSet, eventually
from tests.replication.runtime.clusters import KEYS, ClusterFor, applier_stopped, put, reasons, roles, stored

pytestmark = pytest.mark.mysql
QUIET = MonitorPolicy(poll_interval=1000)
PATIENT = RoutingPolicy(staleness_bound=900, last_resort_bound=900, causal_wait_timeout=10)
BRIEF = RoutingPolicy(staleness_bound=900, last_resort_bound=900, causal_wait_timeout=0.05)


def written(cluster: ReplicatedCluster[Session], table: str, number: int = 1) -> str:
    """The token of one write."""
    with cluster.causal() as context:
        cluster.write(put(table, number))
        token = context.token
    assert token
    return token


def test_what_one_process_writes_the_next_one_reads(cluster_for: ClusterFor, table: str) -> None:
    one, other = cluster_for(), cluster_for()
    for number in range(30):
        with one.causal() as context:
            one.write(put(table, number))
        with other.causal(context.token), other.reader() as session:
            assert number in stored(session, table)


def test_a_reader_waits_for_its_own_change_on_a_replica(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(monitor=QUIET, routing=PATIENT)
    cluster.status()
    with applier_stopped(*servers.replicas):
        token = written(cluster, table)
        later = threading.Timer(0.3, lambda: [each.query("START REPLICA SQL_THREAD") for each in servers.replicas])
        later.start()
        with cluster.causal(token) as context, cluster.reader() as session:
            assert stored(session, table) == [1]
        later.join()

    assert reasons(context) == ["replica_wait"]
    assert "causal_wait_seconds_count" in cluster.metrics()


def test_a_reader_whose_change_does_not_come_in_time_reads_the_source(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    cluster = cluster_for(monitor=QUIET, routing=BRIEF)
    cluster.status()
    with applier_stopped(*servers.replicas):
        token = written(cluster, table)
        with cluster.causal(token) as context, cluster.reader() as session:
            assert stored(session, table) == [1]

    assert reasons(context) == ["source_after_timeout"]
    assert "causal_waits_unmet_total" in cluster.metrics()


def test_a_policy_may_prefer_an_error_to_the_source(cluster_for: ClusterFor, servers: ReplicaSet, table: str) -> None:
    routing = RoutingPolicy(
        staleness_bound=900, last_resort_bound=900, causal_wait_timeout=0.05, on_causal_timeout="error"
    )
    cluster = cluster_for(monitor=QUIET, routing=routing)
    cluster.status()
    with applier_stopped(*servers.replicas):
        token = written(cluster, table)
        with cluster.causal(token), pytest.raises(CausalTimeout, match="not lost"), cluster.reader():
            pass


def test_without_a_context_a_reader_may_see_an_older_state(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    """The control: what the tokens of the other tests protect from does happen."""
    cluster = cluster_for(monitor=QUIET, routing=BRIEF)
    cluster.status()
    with applier_stopped(*servers.replicas):
        cluster.write(put(table, 1))
        with cluster.reader() as session:
            assert stored(session, table) == []


def test_a_replica_that_is_known_to_have_the_change_serves_without_a_wait(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    token = written(cluster, table)
    servers.catch_up()

    def known() -> bool:
        with cluster.causal(token) as context, cluster.reader() as session:
            assert stored(session, table) == [1]
        return reasons(context) == ["replica_causal"]

    eventually("the monitor has seen the change on a replica", known)


def test_a_token_is_empty_as_soon_as_every_server_has_it(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    token = written(cluster, table)
    servers.catch_up()

    def empty() -> bool:
        with cluster.causal(token) as context:
            cluster.status()
            return context.token is None

    eventually("nothing is left in the token", empty)


def test_a_server_that_is_out_of_service_keeps_tokens_whole(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet, table: str
) -> None:
    """It comes back, and must not be read before it has the change."""
    cluster.drain("replica2")
    with applier_stopped(servers.replica2):
        token = written(cluster, table)

        def known_to_the_other() -> bool:
            with cluster.causal(token) as context, cluster.reader():
                assert context.token
            return reasons(context) == ["replica_causal"]

        eventually("the one that serves is known to have it", known_to_the_other)
        with cluster.causal(token) as context:
            assert context.token


@pytest.mark.parametrize(
    "bad",
    [
        "no token",
        "x" * 1_000_000,
        "c1.k1.JzsgRFJPUCBUQUJMRQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "'; DROP TABLE t; --",
        "c1.k9.AAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
    ids=["words", "a megabyte", "forged", "SQL", "unknown key"],
)
def test_a_token_that_is_not_believed_is_counted_and_read_from_the_source(
    bad: str, cluster: ReplicatedCluster[Session]
) -> None:
    with cluster.causal(bad) as context, cluster.reader():
        pass

    assert context.rejected
    assert reasons(context) == ["source_not_believed"]
    assert f'tokens_total{{verdict="{context.rejected}"}} 1' in cluster.metrics()


def test_a_token_of_another_cluster_is_not_believed(cluster_for: ClusterFor, table: str) -> None:
    token = written(cluster_for(cluster_id="another"), table)
    cluster = cluster_for()

    with cluster.causal(token) as context, cluster.reader():
        pass

    assert context.rejected == "foreign_cluster"


def test_after_one_read_from_the_source_a_rejected_token_is_a_good_one_again(
    cluster_for: ClusterFor, table: str
) -> None:
    """The carrier was wrong once; it must not send its reader to the source for ever."""
    cluster = cluster_for(monitor=QUIET, routing=PATIENT)
    with cluster.causal("no token") as context:
        cluster.write(put(table, 1))
        assert context.token
        with cluster.reader():
            pass
        with cluster.reader() as session:
            assert stored(session, table) == [1]
    with cluster.causal(context.token) as later, cluster.reader() as session:
        assert stored(session, table) == [1]

    assert roles(context) == ["source", "source", "replica"]
    assert later.rejected is None


def test_a_commit_whose_gtid_is_not_known_is_read_from_the_source_once(
    cluster_for: ClusterFor, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_for(monitor=QUIET, routing=PATIENT)
    with monkeypatch.context() as patch:
        patch.setattr(TrackingConnection, "pop_committed_gtids", lambda _self: CommittedGtids("", GtidSource.UNKNOWN))
        with cluster.causal() as context:
            cluster.write(put(table, 1))
    with cluster.causal(context.token) as later:
        for _ in range(2):
            with cluster.reader() as session:
                assert stored(session, table) == [1]

    assert reasons(later)[0] == "source_unknown_commit"
    assert roles(later) == ["source", "replica"]


def test_without_session_tracking_everyone_still_sees_what_they_wrote(
    cluster_for: ClusterFor, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrackingConnection, "_note_session_state", lambda _self, _tail: None)
    cluster = cluster_for()
    for number in range(10):
        with cluster.causal() as context:
            cluster.write(put(table, number))
        with cluster.causal(context.token), cluster.reader() as session:
            assert number in stored(session, table)


def test_keys_are_rotated_without_a_token_being_refused(cluster_for: ClusterFor, table: str) -> None:
    new = TokenKey("k2", b"the secret that comes after it")
    token = written(cluster_for(), table)
    with cluster_for(tokens=TokenPolicy((new, *KEYS.keys))).causal(token) as context:
        pass

    assert context.rejected is None


def test_an_inner_block_carries_what_the_outer_one_wrote_and_adds_to_it(cluster_for: ClusterFor, table: str) -> None:
    cluster = cluster_for(monitor=QUIET, routing=PATIENT)
    with cluster.causal() as outer:
        cluster.write(put(table, 1))
        with cluster.causal() as inner:
            with cluster.reader() as session:
                assert stored(session, table) == [1]
            cluster.write(put(table, 2))
        with cluster.reader() as session:
            assert stored(session, table) == [1, 2]

    assert reasons(inner) == ["replica_wait", "write"]
    assert roles(outer) == ["source", "replica", "source", "replica"]


def test_a_block_leaves_nothing_to_the_next_one_on_the_same_thread(cluster_for: ClusterFor, table: str) -> None:
    cluster = cluster_for(monitor=QUIET, routing=PATIENT)
    written(cluster, table)
    with cluster.causal() as context, cluster.reader():
        pass

    assert context.token is None
    assert reasons(context) == ["replica_fresh"]


def test_ddl_in_a_unit_is_in_its_token(cluster: ReplicatedCluster[Session], servers: ReplicaSet) -> None:
    name = "made_within_a_unit"
    try:
        with cluster.causal() as context:
            cluster.write(lambda session: session.execute(text(f"CREATE TABLE {name} (id INT PRIMARY KEY, note INT)")))
            with cluster.reader() as session:
                assert stored(session, name) == []
    finally:
        servers.source.query(f"DROP TABLE IF EXISTS {DATABASE}.{name}")

    assert roles(context)[0] == "source"


GTIDS = st.lists(st.tuples(st.sampled_from("123"), st.integers(1, 50)), max_size=20)


@given(commits=GTIDS)
def test_a_context_carries_exactly_the_commits_that_were_added(commits: list[tuple[str, int]]) -> None:
    context = CausalContext(CausalToken("c"), lambda token: token.gtids.compact())
    expected = GtidSet.parse("")
    for uuid, number in commits:
        gtid = f"{uuid}0000000-0000-11f0-8000-000000000000:{number}"
        context.add(CommittedGtids(gtid, GtidSource.REPORTED))
        expected |= GtidSet.parse(gtid)

    assert context.requirements(None, allow_stale=False, from_source=False).gtids == expected
    assert context.token == (expected.compact() or None)
