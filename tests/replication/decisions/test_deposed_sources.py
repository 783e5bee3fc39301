"""Former sources are known by the records on other servers, and a split brain by two rounds one after the other."""

from inventory_replication.decisions.snapshot import Cause, SourceRecord
from tests.replication.decisions.topology_cases import (
    GONE,
    HEALTHY,
    SECOND,
    THIRD,
    U1,
    U2,
    U3,
    Round,
    rounds,
    server,
    source_name,
    states,
)


def test_a_split_brain_that_only_one_round_has_seen_is_suspected_and_the_source_stays() -> None:
    both = {**HEALTHY, "db2": server(U2, writable=True)}
    handed_over: Round = {"db1": server(U1), "db2": server(U2, writable=True), "db3": THIRD}
    suspected = rounds(HEALTHY, both)

    assert (source_name(suspected), suspected.cause, states(suspected)) == (
        "db1",
        Cause.SUSPECTED,
        ["source", "refused", "replica"],
    )
    assert (source_name(rounds(HEALTHY, both, handed_over)), rounds(HEALTHY, both, handed_over).epoch) == ("db2", 2)
    assert source_name(rounds(HEALTHY, both, HEALTHY)) == "db1"


def test_a_split_brain_at_the_start_has_no_source_from_the_first_round_on() -> None:
    both = {**HEALTHY, "db2": server(U2, writable=True)}

    assert (source_name(rounds(both)), rounds(both).cause) == (None, Cause.SUSPECTED)
    assert (source_name(rounds(both, both)), rounds(both, both).cause) == (None, Cause.SPLIT_BRAIN)


FIRST, NEXT = SourceRecord(1, U1), SourceRecord(2, U2)


def test_a_deposed_source_is_known_by_the_record_of_the_next_one_without_any_memory() -> None:
    alone: Round = {"db1": server(U1, writable=True, record=FIRST), "db2": GONE, "db3": server(U3, of=U2, record=NEXT)}
    snapshot = rounds(alone)

    assert (source_name(snapshot), snapshot.cause, snapshot.epoch) == (None, Cause.DEPOSED, 0)
    assert states(snapshot)[0] == "deposed"
    assert "epoch 2" in snapshot.reason


def test_a_writable_deposed_source_does_not_block_the_recorded_source() -> None:
    beside: Round = {
        "db1": server(U1, writable=True, record=FIRST),
        "db2": server(U2, writable=True, record=NEXT),
        "db3": server(U3, of=U2, record=NEXT),
    }
    snapshot = rounds(beside)

    assert (source_name(snapshot), snapshot.cause) == ("db2", Cause.PROVED)
    assert states(snapshot) == ["deposed", "source", "replica"]
    assert "former source" in snapshot.members[0].reason


def test_a_deposed_source_that_refuses_writes_is_named_and_not_read() -> None:
    closed: Round = {"db1": server(U1, record=FIRST), "db2": server(U2, writable=True, record=NEXT), "db3": GONE}

    assert states(rounds(closed)) == ["deposed", "source", "unreachable"]


def test_a_record_that_was_seen_once_is_remembered() -> None:
    both: Round = {"db1": GONE, "db2": server(U2, writable=True, record=NEXT), "db3": GONE}
    alone: Round = {"db1": server(U1, writable=True, record=FIRST), "db2": GONE, "db3": GONE}

    assert rounds(both, alone).cause is Cause.DEPOSED
    assert source_name(rounds(alone)) == "db1"


def test_a_server_that_has_the_newest_record_may_be_made_the_source_by_hand() -> None:
    promoted: Round = {
        "db1": GONE,
        "db2": server(U2, writable=True, record=FIRST),
        "db3": server(U3, of=U2, record=FIRST),
    }
    before: Round = {"db1": server(U1, writable=True, record=FIRST), "db2": SECOND, "db3": THIRD}

    assert source_name(rounds(before, promoted)) == "db2"
