"""Who is the source, who is its replica, who is neither."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.snapshot import (
    Answer,
    Cause,
    MemberState,
    Mode,
    ReplicationChannel,
    ServerFacts,
    SourceRecord,
    TopologySnapshot,
)
from inventory_replication.decisions.topology import decide_topology, find_lost
from tests.replication.decisions.topology_cases import (
    DATA,
    GONE,
    HEALTHY,
    LOCKED,
    SECOND,
    SOURCE,
    THIRD,
    U1,
    U2,
    U3,
    U4,
    Round,
    broken,
    rounds,
    server,
    source_name,
    states,
)


def test_the_only_writable_server_is_the_source_and_those_that_copy_from_it_are_replicas() -> None:
    snapshot = rounds(HEALTHY)

    assert states(snapshot) == ["source", "replica", "replica"]
    assert (snapshot.mode, snapshot.cause, snapshot.epoch, snapshot.taken_at) == (Mode.NORMAL, Cause.PROVED, 1, 0.0)
    assert [replica.name for replica in snapshot.replicas] == ["db2", "db3"]


@pytest.mark.parametrize(
    ("answers", "mode"),
    [
        ({"db1": SOURCE}, Mode.SOURCE_ONLY),
        ({"db1": SOURCE, "db2": GONE}, Mode.SOURCE_ONLY),
        ({"db1": SOURCE, "db2": broken(U2, U1, applier=False)}, Mode.SOURCE_ONLY),
        ({"db1": GONE, "db2": SECOND}, Mode.READ_ONLY),
        ({"db1": GONE, "db2": broken(U2, U1, applier=False)}, Mode.READ_ONLY),
        ({"db1": GONE, "db2": GONE}, Mode.DOWN),
        ({"db1": GONE, "db2": server(U2)}, Mode.DOWN),
    ],
)
def test_the_mode_says_what_can_be_done(answers: Mapping[str, Answer], mode: Mode) -> None:
    assert rounds(answers).mode is mode


def test_two_writable_servers_are_a_split_brain_and_neither_is_the_source() -> None:
    both = {**HEALTHY, "db2": server(U2, writable=True)}
    snapshot = rounds(HEALTHY, both, both)

    assert (source_name(snapshot), snapshot.cause, snapshot.mode, snapshot.epoch) == (
        None,
        Cause.SPLIT_BRAIN,
        Mode.READ_ONLY,
        1,
    )
    assert states(snapshot) == ["refused", "refused", "replica"]
    assert "db1 and db2" in snapshot.reason


def test_a_server_that_is_read_only_in_any_way_is_not_the_source() -> None:
    assert rounds({"db1": replace(SOURCE, read_only=True)}).source is None
    assert rounds({"db1": replace(SOURCE, super_read_only=True)}).source is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (server(U2), "copies from no server"),
        (server(U2, of=U3), "another server"),
        (
            server(U2, channels=(ReplicationChannel("", receiver_running=False, applier_running=True),)),
            "never connected",
        ),
        (server(U2, DATA | GtidSet.of(U2, 1), of=U1), f"{U2}:1"),
        (server(U2, DATA | GtidSet.of(U3, 7), of=U1), f"{U3}:7"),
        (server(U2, of=U1, gtids_on=False), "gtid_mode"),
        (server(U2, of=U1, server_id=1), "server_id"),
        (server(U1, of=U1, server_id=2), "server_uuid"),
    ],
)
def test_a_server_that_is_not_a_true_replica_is_refused_with_the_reason(facts: ServerFacts, words: str) -> None:
    snapshot = rounds({"db1": SOURCE, "db2": facts})

    assert states(snapshot) == ["source", "refused"]
    assert words in snapshot.members[1].reason
    assert snapshot.replicas == ()


def test_servers_with_the_same_identity_are_all_refused_if_they_cannot_be_distinguished() -> None:
    twins = rounds({"db1": SOURCE, "db2": SECOND, "db3": server(U2, of=U1, server_id=9)})
    doubled = rounds({"db1": SOURCE, "db1-again": SOURCE})

    assert states(twins) == ["source", "refused", "refused"]
    assert doubled.source is None
    assert all("twice" in member.reason for member in doubled.members)


def test_what_the_source_commits_between_two_questions_is_not_taken_for_foreign() -> None:
    ahead = server(U2, DATA | GtidSet.of(U1, 101, 105) | GtidSet.of(U1, 1, tag="app"), of=U1)

    assert states(rounds({"db1": SOURCE, "db2": ahead})) == ["source", "replica"]


def test_a_replica_of_a_replica_is_a_replica() -> None:
    assert states(rounds({"db3": server(U3, of=U2), "db2": SECOND, "db1": SOURCE})) == ["replica", "replica", "source"]


def test_the_message_of_an_unhealthy_server_says_where_to_look() -> None:
    stuck = rounds({"db1": SOURCE, "db2": broken(U2, U1, applier=False), "db3": broken(U3, U1, receiver=False)})
    channel = ReplicationChannel(U3, receiver_running=True, applier_running=True, source_address="old:3306")
    strays = rounds({"db1": SOURCE, "db2": server(U2, channels=(channel,)), "db3": server(U3, of=U4)})
    apart = rounds({"db2": SECOND, "db3": server(U3, of=U4)})
    demoted = rounds(HEALTHY, {**HEALTHY, "db1": server(U1)})

    assert "(1418 no DETERMINISTIC)" in stuck.members[1].reason
    assert "connected:" in stuck.members[2].reason
    assert "(old:3306)" in strays.members[1].reason
    assert U4 in strays.members[2].reason
    assert all("different servers" in member.reason for member in apart.members)
    assert [member.reason for member in demoted.members][:2] == [
        "It was the source and is read-only now.",
        "It copies from the source.",
    ]


@pytest.mark.parametrize("channel", [{"applier": False}, {"receiver": False}])
def test_a_replica_without_progress_is_stalled(channel: dict[str, bool]) -> None:
    snapshot = rounds({**HEALTHY, "db2": broken(U2, U1, **channel)})

    assert states(snapshot) == ["source", "stalled", "replica"]
    assert "START REPLICA" in snapshot.members[1].reason


def test_without_a_source_a_receiver_that_cannot_connect_is_not_a_fault() -> None:
    snapshot = rounds(
        HEALTHY, {"db1": GONE, "db2": broken(U2, U1, receiver=False), "db3": broken(U3, U1, applier=False)}
    )

    assert states(snapshot) == ["unreachable", "replica", "stalled"]


def test_the_epoch_grows_by_one_exactly_when_another_server_becomes_the_source() -> None:
    promoted: Round = {"db1": GONE, "db2": server(U2, writable=True), "db3": server(U3, of=U2)}
    story: list[Round] = [
        HEALTHY,
        HEALTHY,
        {**HEALTHY, "db1": GONE},
        HEALTHY,
        {**HEALTHY, "db1": GONE},
        promoted,
        promoted,
    ]
    epochs = [rounds(*story[: length + 1]).epoch for length in range(len(story))]

    assert epochs == [1, 1, 1, 1, 1, 2, 2]
    assert states(rounds(*story)) == ["unreachable", "source", "replica"]


def test_another_server_under_the_old_name_is_another_source() -> None:
    assert rounds({"db1": SOURCE}, {"db1": server(U2, writable=True)}).epoch == 2


def test_a_planned_switchover_is_followed_and_the_old_source_is_read_meanwhile() -> None:
    demoted = {**HEALTHY, "db1": server(U1)}
    turned = {"db1": server(U1, of=U2), "db2": server(U2, writable=True), "db3": server(U3, of=U2)}
    between, after = rounds(HEALTHY, demoted), rounds(HEALTHY, demoted, turned)
    back = rounds(
        HEALTHY, demoted, turned, {"db1": server(U1, DATA, writable=True), "db2": GONE, "db3": server(U3, of=U1)}
    )

    assert (states(between), between.mode) == (["replica", "replica", "replica"], Mode.READ_ONLY)
    assert (states(after), after.epoch, after.lost) == (["replica", "source", "replica"], 2, EMPTY)
    assert (source_name(back), back.epoch) == ("db1", 3)


def test_a_replica_that_still_copies_from_the_former_source_is_refused() -> None:
    snapshot = rounds(HEALTHY, {"db1": GONE, "db2": server(U2, writable=True), "db3": THIRD})

    assert states(snapshot) == ["unreachable", "source", "refused"]


PROMOTED: Round = {
    "db1": GONE,
    "db2": server(U2, DATA | GtidSet.of(U2, 1, 5), writable=True),
    "db3": server(U3, DATA | GtidSet.of(U2, 1, 5), of=U2),
}


def test_a_former_source_that_returns_alone_is_never_written_to() -> None:
    alone = {**PROMOTED, "db1": SOURCE, "db2": GONE}
    snapshot = rounds(HEALTHY, PROMOTED, alone, alone)

    assert (source_name(snapshot), snapshot.cause, snapshot.mode, snapshot.epoch) == (
        None,
        Cause.DEPOSED,
        Mode.READ_ONLY,
        2,
    )
    assert states(snapshot) == ["deposed", "unreachable", "replica"]


def test_a_former_source_may_lead_again_once_it_joined_its_successor_or_has_all_its_writes() -> None:
    everything = DATA | GtidSet.of(U2, 1, 5)
    rejoined: Round = {**PROMOTED, "db1": server(U1, everything, of=U2)}
    behind: Round = {"db1": server(U1, DATA | GtidSet.of(U2, 1, 4), writable=True), "db2": GONE, "db3": GONE}

    assert source_name(rounds(HEALTHY, PROMOTED, rejoined, behind)) == "db1"
    assert source_name(rounds(HEALTHY, PROMOTED, behind)) is None
    assert source_name(rounds(HEALTHY, PROMOTED, {**behind, "db1": server(U1, everything, writable=True)})) == "db1"


def test_a_former_source_that_lacks_only_unseen_transactions_is_not_trusted() -> None:
    """Its successor may have stored something since the last probe."""
    silent: Round = {"db1": GONE, "db2": server(U2, writable=True), "db3": server(U3, of=U2)}
    alone: Round = {**silent, "db1": SOURCE, "db2": GONE}
    handed_back: Round = {**silent, "db1": SOURCE, "db2": server(U2)}

    assert source_name(rounds(HEALTHY, silent)) == "db2"
    assert rounds(HEALTHY, silent, alone).cause is Cause.DEPOSED
    assert source_name(rounds(HEALTHY, silent, handed_back)) == "db1"


def test_a_writable_server_with_none_of_the_data_is_not_taken_for_the_new_source() -> None:
    stranger = server(U3, GtidSet.of(U3, 1, 900), writable=True)
    snapshot = rounds(HEALTHY, {"db1": GONE, "db2": SECOND, "db3": stranger})

    assert (source_name(snapshot), snapshot.cause, snapshot.mode) == (None, Cause.UNSUITABLE, Mode.READ_ONLY)
    assert states(snapshot) == ["unreachable", "replica", "refused"]


def test_a_writable_server_without_gtids_is_not_the_source() -> None:
    snapshot = rounds({"db1": server(U1, writable=True, gtids_on=False), "db2": SECOND})

    assert (source_name(snapshot), snapshot.cause) == (None, Cause.UNSUITABLE)
    assert "gtid_mode" in snapshot.reason


def test_a_source_that_lives_but_lets_no_one_in_stays_the_source() -> None:
    snapshot = rounds(HEALTHY, {**HEALTHY, "db1": LOCKED}, {**HEALTHY, "db1": LOCKED})

    assert (source_name(snapshot), snapshot.cause, snapshot.epoch) == ("db1", Cause.UNVERIFIED, 1)
    assert states(snapshot) == ["source", "replica", "replica"]
    assert rounds({**HEALTHY, "db1": LOCKED}).source is None
    assert rounds(HEALTHY, {**HEALTHY, "db1": GONE}).source is None


def test_nothing_is_held_against_a_replica_while_the_source_cannot_be_queried() -> None:
    ahead = server(U3, DATA | GtidSet.of(U2, 7), of=U1)
    snapshot = rounds(HEALTHY, {**HEALTHY, "db1": LOCKED, "db3": ahead})

    assert states(snapshot) == ["source", "replica", "replica"]
    assert find_lost(GtidSet.of(U4, 1), snapshot) == EMPTY


def test_a_source_whose_gtids_were_reset_stays_the_source_and_its_old_ones_are_lost() -> None:
    snapshot = rounds(HEALTHY, {**HEALTHY, "db1": server(U1, GtidSet.of(U1, 1, 2), writable=True)})
    emptied = rounds(HEALTHY, {**HEALTHY, "db1": server(U1, EMPTY, writable=True)})

    assert (source_name(snapshot), snapshot.epoch, snapshot.lost) == ("db1", 1, GtidSet.of(U1, 3, 100))
    assert (source_name(emptied), emptied.epoch, emptied.lost) == ("db1", 1, DATA)


def test_a_former_source_is_not_proved_to_have_joined_while_there_is_no_source() -> None:
    headless: Round = {"db1": server(U1, of=U2), "db2": GONE, "db3": server(U3, DATA, of=U2)}
    alone: Round = {"db1": SOURCE, "db2": GONE, "db3": GONE}

    assert source_name(rounds(HEALTHY, PROMOTED, headless, alone)) is None


def test_a_source_that_lets_no_one_in_yields_to_one_that_is_proved() -> None:
    snapshot = rounds(HEALTHY, {**PROMOTED, "db1": LOCKED})

    assert (source_name(snapshot), snapshot.cause, snapshot.epoch) == ("db2", Cause.PROVED, 2)
    assert states(snapshot) == ["unreachable", "source", "replica"]


def test_a_replica_that_lives_but_lets_no_one_in_keeps_its_place_under_the_same_source_only() -> None:
    assert states(rounds(HEALTHY, {**HEALTHY, "db3": LOCKED})) == ["source", "replica", "replica"]
    assert states(rounds(HEALTHY, {**PROMOTED, "db3": LOCKED})) == ["unreachable", "source", "unreachable"]
    assert states(rounds({**HEALTHY, "db3": LOCKED})) == ["source", "replica", "unreachable"]


def test_a_server_that_falls_silent_keeps_what_was_known_of_it() -> None:
    silent = rounds(HEALTHY, {**HEALTHY, "db3": GONE}).members[2]

    assert (silent.state, silent.server_uuid, silent.executed, silent.reason) == (
        MemberState.UNREACHABLE,
        U3,
        DATA,
        "connection refused",
    )


def test_at_the_start_without_a_source_the_one_that_all_replicas_name_counts() -> None:
    assert states(rounds({"db2": SECOND, "db3": THIRD})) == ["replica", "replica"]
    assert states(rounds({"db2": SECOND, "db3": server(U3, of=U2)})) == ["replica", "replica"]
    assert rounds({"db2": SECOND, "db3": server(U3, of=U4)}).mode is Mode.DOWN


def test_a_failover_that_left_writes_behind_names_them_until_they_are_there() -> None:
    behind: Round = {"db1": GONE, "db2": server(U2, GtidSet.of(U1, 1, 90) | GtidSet.of(U2, 1), writable=True)}
    caught_up: Round = {"db1": GONE, "db2": server(U2, GtidSet.of(U1, 1, 98) | GtidSet.of(U2, 1), writable=True)}

    assert rounds(HEALTHY, behind).lost == GtidSet.of(U1, 91, 100)
    assert rounds(HEALTHY, behind, behind, caught_up).lost == GtidSet.of(U1, 99, 100)
    assert rounds(HEALTHY, PROMOTED).lost == EMPTY


def test_a_write_is_lost_if_its_origin_is_gone_and_the_source_has_it_not() -> None:
    snapshot = rounds(HEALTHY, PROMOTED)
    tail = GtidSet.of(U1, 101, 103)

    assert find_lost(tail | GtidSet.of(U1, 50), snapshot) == tail
    assert find_lost(GtidSet.of(U2, 900), snapshot) == EMPTY
    assert find_lost(GtidSet.of(U3, 1), snapshot) == EMPTY


def test_a_write_of_a_live_member_is_not_lost_for_an_instance_that_learns_late_of_a_switchover() -> None:
    assert find_lost(GtidSet.of(U2, 1), rounds(HEALTHY)) == EMPTY


def test_nothing_is_called_lost_while_it_may_still_arrive() -> None:
    applying = ReplicationChannel(U1, receiver_running=False, applier_running=True, receiver_enabled=False)
    receiving = ReplicationChannel(U1, receiver_running=False, applier_running=False, receiver_enabled=True)
    for channel in (applying, receiving):
        still_copying: Round = {**PROMOTED, "db2": server(U2, writable=True, channels=(channel,))}
        assert find_lost(GtidSet.of(U1, 101), rounds(HEALTHY, still_copying)) == EMPTY

    idle = ReplicationChannel(U1, receiver_running=False, applier_running=False, receiver_enabled=False)
    stopped: Round = {**PROMOTED, "db2": server(U2, writable=True, channels=(idle,))}
    assert find_lost(GtidSet.of(U1, 101), rounds(HEALTHY, stopped)) == GtidSet.of(U1, 101)
    assert find_lost(GtidSet.of(U1, 101), rounds(HEALTHY, {**HEALTHY, "db1": GONE})) == EMPTY


def test_tokens_are_pruned_by_every_server_but_the_source() -> None:
    some = rounds(HEALTHY, {**HEALTHY, "db3": GONE})

    assert some.prunable_by() == (DATA, DATA)
    assert rounds({**HEALTHY, "db3": GONE}).prunable_by() == (DATA, EMPTY)


answers = st.builds(
    lambda uuid, writable, of, upto, extra, record: server(
        uuid, GtidSet.of(U1, 1, upto) | extra, writable=writable, of=of, record=record
    ),
    st.sampled_from([U1, U2, U3]),
    st.booleans(),
    st.sampled_from(["", U1, U2, U3]),
    st.integers(1, 4),
    st.sampled_from([EMPTY, GtidSet.of(U2, 1), GtidSet.of(U3, 1)]),
    st.none() | st.builds(SourceRecord, st.integers(1, 3), st.sampled_from([U1, U2, U3])),
) | st.sampled_from([GONE, LOCKED])
histories = st.lists(st.fixed_dictionaries({"db1": answers, "db2": answers, "db3": answers}), min_size=1, max_size=8)


@given(histories)
def test_whatever_servers_answer_the_rules_hold(history: list[dict[str, Answer]]) -> None:
    previous: TopologySnapshot | None = None
    for second, answer in enumerate(history):
        snapshot = decide_topology(answer, previous, float(second))
        writable = [name for name, fact in answer.items() if isinstance(fact, ServerFacts) and fact.writable]
        sources = [member for member in snapshot.members if member.state is MemberState.SOURCE]

        assert [member.name for member in snapshot.members] == list(answer)
        assert all(member.reason for member in snapshot.members)
        assert len(sources) <= 1
        facts = {name: fact for name, fact in answer.items() if isinstance(fact, ServerFacts)}
        record = snapshot.lineage.record
        standing = [
            name for name in writable if not (record and record.supersedes(facts[name].server_uuid, facts[name].record))
        ]
        if len(standing) > 1:
            assert {source.name for source in sources} <= set(standing)
            assert not sources or (previous is not None and previous.source is not None)
            assert snapshot.cause is not Cause.SUSPECTED or previous is None or previous.cause is not Cause.SUSPECTED
        if snapshot.cause is Cause.PROVED:
            assert [source.name for source in sources] == standing
        assert not {member.name for member in snapshot.replicas} & set(writable)
        before = previous.lineage.source_uuid if previous else ""
        changed = bool(sources) and sources[0].server_uuid != before
        assert snapshot.epoch == (previous.epoch if previous else 0) + changed
        previous = snapshot
