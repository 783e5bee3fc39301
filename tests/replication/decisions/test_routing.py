"""Which server serves a unit of work, and why."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from inventory_replication.config import RoutingPolicy
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.routing import (
    ReadRequirements,
    RouteReason,
    after_wait_failed,
    choose_reader,
    choose_writer,
)
from inventory_replication.decisions.routing_table import ServerLoad
from inventory_replication.decisions.snapshot import Answer, Mode
from inventory_replication.decisions.topology import decide_topology
from tests.replication.decisions.routing_cases import (
    ANYTHING,
    FRESH,
    GONE,
    NOW,
    OPEN,
    POLICY,
    TWO,
    U1,
    U2,
    chosen,
    read,
    replica,
    source,
    table,
    upto,
)


def test_a_write_goes_to_the_source() -> None:
    assert chosen(choose_writer(table(TWO, FRESH))) == ("db1", "write")


def test_a_reader_without_a_token_gets_a_replica() -> None:
    decision = read(table(TWO, FRESH))

    assert chosen(decision) == ("db2", "replica_fresh")
    assert (decision.is_source, decision.wait_for, decision.wait_limit, decision.epoch) == (False, None, 0.0, 1)
    assert decision.staleness == pytest.approx(0.1)


def test_a_reader_with_a_token_gets_a_replica_that_has_it_without_a_wait() -> None:
    for draws in [(0.0, 0.0), (0.99, 0.99), (0.5, 0.1)]:
        decision = read(table(TWO, FRESH), ReadRequirements(upto(93)), draws)

        assert chosen(decision) == ("db2", "replica_causal")
        assert decision.wait_for is None


def test_a_reader_whose_token_no_replica_has_waits_on_the_most_advanced_one() -> None:
    decision = read(table(TWO, {"db2": 0.2, "db3": 0.1}), ReadRequirements(upto(98)))

    assert chosen(decision) == ("db2", "replica_wait")
    assert (decision.wait_for, decision.wait_limit) == (upto(98), POLICY.causal_wait_timeout)


def test_the_most_advanced_replica_is_judged_by_what_it_lacks_of_the_token() -> None:
    other = GtidSet.of(U2, 1, 3)
    answers = {
        "db1": source(upto(100) | other),
        "db2": replica("db2", upto(90) | other),
        "db3": replica("db3", upto(99)),
    }

    assert read(table(answers, FRESH), ReadRequirements(other | GtidSet.of(U1, 91))).server == "db2"
    assert read(table(answers, FRESH), ReadRequirements(other | GtidSet.of(U1, 80, 99))).server == "db3"


def test_of_equally_advanced_replicas_the_less_busy_is_waited_on() -> None:
    even = {**TWO, "db3": replica("db3", upto(95))}
    same = {"db2": 0.1, "db3": 0.1}

    assert read(table(even, same, loads={"db2": ServerLoad(in_flight=5)}), ReadRequirements(upto(98))).server == "db3"
    assert read(table(even, same, loads={"db3": ServerLoad(in_flight=5)}), ReadRequirements(upto(98))).server == "db2"


def test_readers_beyond_the_limit_of_waiters_go_elsewhere() -> None:
    full = ServerLoad(waiters=POLICY.max_waiters_per_replica)

    assert chosen(read(table(TWO, FRESH, loads={"db2": full}), ReadRequirements(upto(98)))) == ("db3", "replica_wait")
    both = read(table(TWO, FRESH, loads={"db2": full, "db3": full}), ReadRequirements(upto(98)))
    assert chosen(both) == ("db1", "source_waiters_full")


def test_a_reader_does_not_wait_in_vain() -> None:
    lagging = table(TWO, FRESH, lag={"db2": 0.6, "db3": 3.0})
    stalled = {**TWO, "db2": replica("db2", upto(95), running=False), "db3": GONE}

    assert chosen(read(lagging, ReadRequirements(upto(98)))) == ("db1", "source_ahead")
    assert chosen(read(table(stalled, FRESH), ReadRequirements(upto(98), staleness_bound=5.0))) == (
        "db1",
        "source_ahead",
    )


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        (ReadRequirements(unknown=True), "source_unknown_commit"),
        (ReadRequirements(rejected=True), "source_not_believed"),
    ],
)
def test_an_unknown_commit_or_a_token_that_is_not_believed_is_read_from_the_source(
    requirements: ReadRequirements, reason: str
) -> None:
    assert chosen(read(table(TWO, FRESH), requirements)) == ("db1", reason)


def test_a_bound_of_the_reader_is_held_and_the_source_reads_for_it_otherwise() -> None:
    stale = {"db2": 0.5, "db3": 5.0}

    assert chosen(read(table(TWO, stale), ReadRequirements(staleness_bound=1.0), (0.9, 0.9))) == (
        "db2",
        "replica_fresh",
    )
    assert chosen(read(table(TWO, stale), ReadRequirements(staleness_bound=0.4))) == ("db1", "source_no_replica")
    assert {read(table(TWO, stale), ReadRequirements(staleness_bound=9.0), (d, d)).server for d in (0.0, 0.9)} == {
        "db2",
        "db3",
    }


def test_replicas_beyond_the_bound_leave_but_not_the_last_one() -> None:
    one_left = table(TWO, {"db2": 30.0, "db3": 1.0})
    all_behind = table(TWO, {"db2": 30.0, "db3": 20.0})

    assert {chosen(read(one_left, draws=(d, d))) for d in (0.0, 0.5, 0.9)} == {("db3", "replica_fresh")}
    assert {chosen(read(all_behind, draws=(d, d))) for d in (0.0, 0.5, 0.9)} == {("db3", "replica_last")}
    assert read(all_behind).staleness == pytest.approx(20.0)


def test_a_bound_holds_to_the_point() -> None:
    exact = table(TWO, {"db2": 2.0, "db3": 60.0})

    assert {chosen(read(exact, draws=(d, d))) for d in (0.0, 0.9)} == {("db2", "replica_fresh")}
    assert chosen(read(exact, ReadRequirements(staleness_bound=2.0))) == ("db2", "replica_fresh")
    assert chosen(read(table(TWO, {"db3": 60.0}))) == ("db3", "replica_last")
    assert chosen(read(table(TWO, FRESH, lag={"db2": 0.5, "db3": 0.6}), ReadRequirements(upto(98)))) == (
        "db2",
        "replica_wait",
    )


def test_a_replica_within_the_reader_s_own_bound_is_not_the_last_one() -> None:
    assert chosen(read(table(TWO, {"db2": 5.0}), ReadRequirements(staleness_bound=9.0))) == ("db2", "replica_fresh")


def test_a_staleness_is_never_negative() -> None:
    assert choose_reader(table(TWO, FRESH), ANYTHING, NOW - 50.0, (0.0, 0.0)).staleness == 0.0


def test_as_many_stay_as_the_policy_says() -> None:
    behind = {"db2": 30.0, "db3": 20.0}
    two, none = RoutingPolicy(min_serving_replicas=2), RoutingPolicy(min_serving_replicas=0)

    assert {read(table(TWO, behind, two), draws=(d, d)).server for d in (0.0, 0.9)} == {"db2", "db3"}
    assert chosen(read(table(TWO, behind, none))) == ("db1", "source_no_replica")
    one_fresh = table(TWO, {"db2": 1.0, "db3": 20.0}, two)
    assert {chosen(read(one_fresh, draws=(d, d))) for d in (0.0, 0.9)} == {
        ("db2", "replica_fresh"),
        ("db3", "replica_last"),
    }


def test_the_last_ones_leave_too_when_they_are_too_far_behind_or_nothing_is_proved_of_them() -> None:
    assert chosen(read(table(TWO, {"db2": 61.0, "db3": 70.0}))) == ("db1", "source_no_replica")
    assert chosen(read(table(TWO, {"db2": 61.0, "db3": 70.0}, RoutingPolicy(last_resort_bound=None)))) == (
        "db2",
        "replica_last",
    )
    assert chosen(read(table(TWO, {}, RoutingPolicy(last_resort_bound=None)))) == ("db1", "source_no_replica")


def test_the_last_one_never_serves_against_a_token_or_a_bound_of_the_reader() -> None:
    behind = table(TWO, {"db2": 30.0, "db3": 20.0}, lag={"db2": 30.0, "db3": 20.0})

    assert chosen(read(behind, ReadRequirements(upto(98)))) == ("db1", "source_ahead")
    assert chosen(read(behind, ReadRequirements(staleness_bound=10.0))) == ("db1", "source_no_replica")
    assert chosen(read(behind, ReadRequirements(upto(90)))) == ("db3", "replica_last")


def test_a_replica_that_is_stalled_leaves_at_once_unless_it_is_the_last() -> None:
    stalled = replica("db2", upto(95), running=False)

    assert {read(table({**TWO, "db2": stalled}, FRESH), draws=(d, d)).server for d in (0.0, 0.5, 0.9)} == {"db3"}
    assert chosen(read(table({**TWO, "db2": stalled, "db3": GONE}, FRESH))) == ("db2", "replica_last")


def test_a_server_that_is_draining_or_left_alone_gets_nothing_new() -> None:
    for barred in (table(TWO, FRESH, draining=("db2",)), table(TWO, FRESH, breakers={"db2": OPEN})):
        assert {read(barred, draws=(d, d)).server for d in (0.0, 0.5, 0.9)} == {"db3"}
        assert read(barred, ReadRequirements(upto(94))).server == "db3"


def test_a_source_that_is_draining_or_left_alone_gets_nothing_new() -> None:
    draining, broken = table(TWO, FRESH, draining=("db1",)), table(TWO, FRESH, breakers={"db1": OPEN})

    for barred in (draining, broken):
        assert chosen(choose_writer(barred)) == (None, "no_source")
        assert chosen(read(barred, ReadRequirements(unknown=True))) == (None, "causal_not_met")
        assert read(barred).server == "db2"
    assert "draining" in draining.source_trouble
    assert "left alone" in broken.source_trouble


def test_without_replicas_everything_goes_to_the_source() -> None:
    alone = table({"db1": source(upto(9))}, {})

    assert chosen(read(alone, ReadRequirements(upto(20)))) == ("db1", "source_no_replica")
    assert read(alone, ReadRequirements(upto(20)))[3:6] == (None, 0.0, 0.0)


def test_without_a_source_writes_are_refused_and_reads_served_with_their_staleness() -> None:
    headless = table({**TWO, "db1": GONE}, {"db2": 300.0, "db3": 400.0})

    assert chosen(choose_writer(headless)) == (None, "no_source")
    assert chosen(read(headless)) == ("db2", "replica_last")
    assert read(headless).staleness == pytest.approx(300.0)
    assert chosen(read(headless, ReadRequirements(staleness_bound=10.0))) == (None, "no_server")
    one_fresh = table({**TWO, "db1": GONE}, {"db2": 300.0, "db3": 1.0})
    assert {chosen(read(one_fresh, draws=(d, d))) for d in (0.0, 0.9)} == {("db3", "replica_fresh")}


def test_without_a_source_a_token_is_met_waited_for_or_refused() -> None:
    headless = table({**TWO, "db1": GONE}, {"db2": 300.0, "db3": 1.0}, lag={"db2": 300.0})
    stuck = table({"db1": GONE, "db2": replica("db2", upto(95), running=False)}, {"db2": 1.0})

    assert chosen(read(headless, ReadRequirements(upto(95)))) == ("db2", "replica_last")
    assert chosen(read(headless, ReadRequirements(upto(98)))) == ("db2", "replica_wait")
    assert chosen(read(stuck, ReadRequirements(upto(98)))) == (None, "causal_not_met")
    assert chosen(read(stuck, ReadRequirements(upto(98), allow_stale=True))) == ("db2", "replica_stale_allowed")
    assert chosen(read(stuck, ReadRequirements(upto(98), staleness_bound=0.5, allow_stale=True))) == (None, "no_server")


def test_an_older_state_is_not_served_while_the_source_is_there() -> None:
    assert chosen(
        read(table(TWO, FRESH, lag={"db2": 9.0, "db3": 9.0}), ReadRequirements(upto(98), allow_stale=True))
    ) == (
        "db1",
        "source_ahead",
    )


def test_without_any_server_a_reader_is_refused() -> None:
    assert chosen(read(table({"db1": GONE, "db2": GONE}, {}))) == (None, "no_server")


def test_a_split_brain_is_distinguished_from_a_source_that_is_missing() -> None:
    both = {**TWO, "db2": replace(source(upto(95)), server_uuid=U2, server_id=2)}
    split = table(both, FRESH, previous=table(both, FRESH).snapshot)

    assert chosen(choose_writer(split)) == (None, "split_brain")
    assert chosen(read(split)) == ("db3", "replica_fresh")


def test_after_a_wait_in_vain_the_source_reads_or_an_error_is_raised() -> None:
    requirements, strict = ReadRequirements(upto(98)), RoutingPolicy(on_causal_timeout="error")
    waited = read(table(TWO, FRESH), requirements)

    assert chosen(after_wait_failed(table(TWO, FRESH), requirements, waited, NOW)) == ("db1", "source_after_timeout")
    assert chosen(after_wait_failed(table(TWO, FRESH, strict), requirements, waited, NOW)) == (None, "causal_not_met")
    assert chosen(after_wait_failed(table({**TWO, "db1": GONE}, FRESH), requirements, waited, NOW)) == (
        None,
        "causal_not_met",
    )


PROMOTED: Mapping[str, Answer] = {
    "db1": GONE,
    "db2": replace(source(upto(95)), server_uuid=U2, server_id=2),
    "db3": replica("db3", upto(95), of=U2),
}


def test_a_write_that_went_down_with_the_former_source_is_reported_and_not_waited_for() -> None:
    after = table(PROMOTED, FRESH, previous=decide_topology(TWO, None, NOW))
    requirements = ReadRequirements(upto(98))
    lost = GtidSet.of(U1, 96, 98)

    for decision in (
        read(after, requirements),
        read(table(PROMOTED, {}, previous=after.snapshot), requirements),
        after_wait_failed(after, requirements, read(table(TWO, FRESH), requirements), NOW),
        after_wait_failed(
            replace(after, policy=RoutingPolicy(on_causal_timeout="error")),
            requirements,
            read(table(TWO, FRESH), requirements),
            NOW,
        ),
    ):
        assert chosen(decision) == (None, "lost_write")
        assert decision.wait_for == lost
    assert chosen(read(after, ReadRequirements(requirements.gtids - lost))) == ("db3", "replica_causal")


def test_an_instance_that_learns_late_of_a_switchover_does_not_read_the_former_source_unseen() -> None:
    """Another instance wrote on db2 already; here db1 still counts as the source."""
    requirements = ReadRequirements(upto(98) | GtidSet.of(U2, 1))
    behind = table(TWO, FRESH, lag={"db2": 9.0, "db3": 9.0})
    decision = read(behind, requirements)

    assert chosen(decision) == ("db1", "source_ahead")
    assert (decision.wait_for, decision.wait_limit) == (GtidSet.of(U2, 1), POLICY.causal_wait_timeout)
    assert chosen(after_wait_failed(behind, requirements, decision, NOW)) == (None, "causal_not_met")


def test_the_less_busy_of_two_drawn_replicas_is_taken() -> None:
    three = {**TWO, "db4": replica("db4", upto(95))}
    stale = {"db2": 0.1, "db3": 0.2, "db4": 0.3}
    busy = {"db2": ServerLoad(in_flight=3), "db3": ServerLoad(in_flight=1), "db4": ServerLoad(in_flight=2)}
    pairs = {
        (0.0, 0.0): "db3",
        (0.0, 0.9): "db4",
        (0.5, 0.0): "db3",
        (0.5, 0.9): "db3",
        (0.9, 0.0): "db4",
        (0.9, 0.9): "db3",
    }

    for draws, expected in pairs.items():
        assert read(table(three, stale, loads=busy), draws=draws).server == expected


@pytest.mark.parametrize(
    ("slow", "weights"),
    [
        (ServerLoad(in_flight=4), {}),
        (ServerLoad(latency=0.5, observed_at=NOW), {}),
        (ServerLoad(in_flight=20, latency=0.0, observed_at=NOW), {}),
        (ServerLoad(in_flight=1), {"db2": 0.5}),
        (ServerLoad(), {"db2": 0.5}),
    ],
)
def test_work_latency_and_weight_all_count(slow: ServerLoad, weights: dict[str, float]) -> None:
    for draws in [(0.0, 0.0), (0.9, 0.9)]:
        assert read(table(TWO, FRESH, loads={"db2": slow}, weights=weights), draws=draws).server == "db3"


def test_idle_equal_replicas_share_the_reads_evenly() -> None:
    served = [read(table(TWO, FRESH), draws=(n / 100, n / 100)).server for n in range(100)]

    assert served.count("db2") == served.count("db3") == 50


def test_the_latency_follows_what_is_observed() -> None:
    load = ServerLoad(latency=0.1, observed_at=NOW)
    for number in range(50):
        load.observe(0.4, NOW + number * 0.001)

    assert load.expected(NOW + 0.05) == pytest.approx(0.4, rel=0.1)


def test_a_replica_that_was_slow_once_is_tried_again_after_a_while() -> None:
    """It gets no work while it is believed to be slow, so its latency would never be measured again."""
    slow, quick = ServerLoad(), ServerLoad()
    slow.observe(10.0, NOW)
    quick.observe(0.001, NOW)

    assert slow.expected(NOW) > 100 * quick.expected(NOW)
    assert slow.expected(NOW + 10) == quick.expected(NOW + 10)


def test_a_reader_who_wants_the_source_gets_it_even_where_replicas_are_fresh() -> None:
    assert chosen(read(table(TWO, FRESH), ReadRequirements(from_source=True))) == ("db1", "source_asked")


@pytest.mark.parametrize(
    ("answers", "reason"), [({**TWO, "db1": GONE}, "no_source"), ({**TWO, "db2": source(upto(9))}, "split_brain")]
)
def test_a_reader_who_wants_the_source_is_refused_where_there_is_none(
    answers: Mapping[str, Answer], reason: str
) -> None:
    before = table(answers, FRESH).snapshot

    assert chosen(read(table(answers, FRESH, previous=before), ReadRequirements(from_source=True))) == (None, reason)


def test_a_unit_that_failed_to_reach_a_server_chooses_among_the_others() -> None:
    whole = table(TWO, FRESH)

    assert chosen(read(whole.without("db2"))) == ("db3", "replica_fresh")
    assert chosen(read(whole.without("db2").without("db3"))) == ("db1", "source_no_replica")
    assert choose_writer(whole.without("db1")).server is None


def test_a_table_that_was_not_renewed_proves_no_source() -> None:
    old = table(TWO, FRESH).outdated(9.0)

    assert choose_writer(old).reason is RouteReason.NO_SOURCE
    assert "9 s" in old.source_trouble


def test_mode_of_a_routing_table_leaves_out_servers_that_units_of_work_cannot_use() -> None:
    usable = table(TWO, FRESH)
    without_source, without_replicas = usable.without("db1"), usable.without("db2").without("db3")

    assert (usable.mode, usable.snapshot.mode) == (Mode.NORMAL, Mode.NORMAL)
    assert (without_source.mode, without_source.snapshot.mode) == (Mode.READ_ONLY, Mode.NORMAL)
    assert without_replicas.mode is Mode.SOURCE_ONLY
    assert without_replicas.without("db1").mode is Mode.DOWN
