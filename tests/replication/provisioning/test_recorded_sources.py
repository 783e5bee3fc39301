"""What is on record decides who the source is, and is kept up to date by the plan."""

from dataclasses import replace

from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.provisioning.plan.planner import make_plan
from tests.replication.provisioning.model import (
    NAMES,
    WANTED,
    following,
    kinds,
    new_server,
    pair,
    read_only,
    recorded,
    uuid_of,
)


def test_among_read_only_servers_the_recorded_one_is_the_source() -> None:
    states = pair()
    two = recorded(following(read_only(states["two"], on=True), "one"), SourceRecord(2, uuid_of("two")))
    plan = make_plan({**states, "one": read_only(states["one"], on=True), "two": two}, WANTED)

    assert plan.source == "two"
    assert kinds(plan, "two") == ["SetReadOnly", "ForgetSource"]


def test_the_source_that_is_remembered_and_was_never_opened_is_recorded_and_opened() -> None:
    states = pair()
    remembered = replace(WANTED, remembered=SourceRecord(2, uuid_of("two")))
    plan = make_plan({**states, "one": read_only(states["one"], on=True)}, remembered)

    assert plan.source == "two"
    assert kinds(plan, "two") == ["RecordSource", "SetReadOnly", "ForgetSource"]


def test_a_writable_former_source_becomes_a_replica_of_the_recorded_one() -> None:
    states = pair()
    two = recorded(read_only(states["two"], on=False), SourceRecord(2, uuid_of("two")))
    alone = {**states, "two": replace(two, facts=replace(two.facts, channels=()), channel=None)}
    plan = make_plan(alone, WANTED)

    assert plan.source == "two"
    assert kinds(plan, "one") == ["SetReadOnly", "Follow"]


def test_the_next_record_counts_on_from_one_that_is_remembered_of_servers_that_are_gone() -> None:
    states = {name: new_server(name) for name in NAMES}
    plan = make_plan(states, replace(WANTED, remembered=SourceRecord(7, "gone")))

    assert plan.record == SourceRecord(8, uuid_of("one"))


def test_a_source_that_would_be_writable_after_a_restart_is_made_read_only() -> None:
    states = pair()
    persisted = {**states["one"].persisted, "super_read_only": "OFF", "read_only": "OFF"}
    one = replace(states["one"], persisted=persisted)

    assert kinds(make_plan({**states, "one": one}, WANTED)) == ["RefuseWritesAtStart"]
