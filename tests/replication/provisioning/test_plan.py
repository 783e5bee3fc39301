"""Plans, held against a model of servers: they reach their goal from any state, and after any interruption."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.config import Credentials
from inventory_replication.decisions.gtid import EMPTY
from inventory_replication.decisions.snapshot import ReplicationChannel, SourceRecord
from inventory_replication.mysql.probes import PROBE_QUERY
from inventory_replication.provisioning.plan.desired_state import MONITOR_TABLES, DesiredState, Right, Role, rights_of
from inventory_replication.provisioning.plan.findings import CHECKS, ChecksFailed
from inventory_replication.provisioning.plan.planner import make_plan
from inventory_replication.provisioning.plan.server_state import AccountFacts, ServerState
from inventory_replication.provisioning.verify import find_deviations
from tests.replication.provisioning.model import (
    ACCOUNTS,
    DATABASE,
    NAMES,
    STOCK,
    WANTED,
    States,
    carried_out,
    following,
    gtids,
    holding,
    kinds,
    new_server,
    pair,
    read_only,
    recorded,
    uuid_of,
)


def refused(states: States, desired: DesiredState = WANTED) -> list[str]:
    with pytest.raises(ChecksFailed) as refusal:
        make_plan(states, desired)
    return [finding.code for finding in refusal.value.findings]


def test_new_servers_become_what_is_wanted() -> None:
    states = {name: new_server(name) for name in NAMES}
    plan = make_plan(states, WANTED)

    assert plan.source == "one"
    assert kinds(plan, "two") == ["PersistSetting", "EmptyNewServer", "SetReadOnly", "Follow"]
    assert make_plan(carried_out(states, plan.steps), WANTED).steps == ()


def test_a_plan_shows_no_password() -> None:
    plan = make_plan({name: new_server(name) for name in NAMES}, WANTED)

    for shown in (repr(plan), *map(str, plan.steps), *(str(step.as_json()) for step in plan.steps)):
        assert "secret" not in shown


def test_every_step_mends_something_that_has_a_code() -> None:
    steps = make_plan({name: new_server(name) for name in NAMES}, WANTED).steps

    assert {step.code for step in steps} <= CHECKS.keys()
    assert {finding.code for finding in find_deviations({name: new_server(name) for name in NAMES}, WANTED)} == {
        step.code for step in steps
    }


def test_replicas_are_made_read_only_before_the_source_is_made_writable() -> None:
    states = pair()
    writable = {name: read_only(states[name], on=False) for name in ("two", "three")}
    plan = make_plan({**states, "one": read_only(states["one"], on=True), **writable}, WANTED)

    assert [(step.server, type(step).__name__) for step in plan.steps] == [
        ("two", "SetReadOnly"),
        ("three", "SetReadOnly"),
        ("one", "SetReadOnly"),
    ]


@pytest.mark.parametrize("variable", ["super_read_only", "read_only"])
def test_plan_refuses_writes_at_the_start_of_a_source_that_would_take_them(variable: str) -> None:
    states = pair()
    open_at_start = replace(states["one"], persisted={**states["one"].persisted, variable: "OFF"})
    plan = make_plan({**states, "one": open_at_start}, WANTED)

    assert [(step.server, type(step).__name__, step.code) for step in plan.steps] == [
        ("one", "RefuseWritesAtStart", "open_at_start")
    ]


def test_the_only_server_that_takes_writes_is_the_source_although_the_other_still_has_a_channel() -> None:
    states = pair()
    one, two = read_only(states["one"], on=True), read_only(states["two"], on=False)
    plan = make_plan({**states, "one": one, "two": two}, WANTED)

    assert plan.source == "two"
    assert kinds(plan) == ["RecordSource", "Follow", "Follow", "ForgetSource"]
    assert plan.record == SourceRecord(2, uuid_of("two"))


def test_a_new_writable_server_does_not_take_the_place_of_a_source_that_refuses_writes() -> None:
    states = pair(three=new_server("three"))
    plan = make_plan({**states, "one": read_only(states["one"], on=True)}, WANTED)

    assert plan.source == "one"


def test_a_former_source_with_nothing_of_its_own_rejoins() -> None:
    states = pair()
    two = replace(states["two"], facts=replace(states["two"].facts, channels=()), channel=None)
    plan = make_plan({**states, "two": two}, WANTED)

    assert kinds(plan) == ["Follow"]


def test_a_former_source_with_a_lost_tail_is_refused() -> None:
    states = pair()
    two = holding(states["two"], states["two"].executed() | gtids("two", 9), STOCK)

    assert refused({**states, "two": two}) == ["errant_transactions"]


def test_what_the_source_committed_while_the_servers_were_probed_is_not_errant() -> None:
    states = pair()
    newer = states["one"].executed() | gtids("one", 99)
    one = replace(states["one"], executed_later=newer)
    two = holding(states["two"], newer, STOCK)

    assert make_plan({**states, "one": one, "two": two}, WANTED).steps == ()


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("gtid_mode", "OFF", "no_gtids"),
        ("enforce_gtid_consistency", "WARN", "no_gtids"),
        ("log_bin", "0", "no_binary_log"),
        ("log_replica_updates", "0", "no_binary_log"),
        ("binlog_format", "MIXED", "binlog_format"),
    ],
)
def test_a_setting_without_which_nothing_can_work_is_refused(variable: str, value: str, code: str) -> None:
    states = pair()
    two = replace(states["two"], settings={**states["two"].settings, variable: value})

    assert refused({**states, "two": two}) == [code]


def test_old_servers_are_refused() -> None:
    assert refused(pair(two=replace(pair()["two"], version=(8, 0)))) == ["old_version"]
    assert refused(pair(two=replace(pair()["two"], version=(8, 4)))) == ["old_version"]


def test_a_server_without_encryption_is_refused_unless_that_was_switched_off() -> None:
    states = pair(two=replace(pair()["two"], offers_tls=False))

    assert refused(states) == ["no_tls"]
    assert kinds(make_plan(states, replace(WANTED, tls=False, source_ca=""))) == ["Follow", "Follow"]


def test_servers_that_follow_one_another_in_a_circle_are_refused() -> None:
    one = following(read_only(new_server("one"), on=True), "two")
    two = following(read_only(new_server("two"), on=True), "one")
    three = following(read_only(new_server("three"), on=True), "one")

    assert refused({"one": one, "two": two, "three": three}) == ["ambiguous_source"]


def test_a_chain_is_straightened() -> None:
    states = pair(three=following(pair()["three"], "two"))
    plan = make_plan(states, WANTED)

    assert plan.source == "one"
    assert kinds(plan) == ["Follow"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: replace(one, purged=gtids("one", 1)), "no longer has all its binary logs"),
        (lambda one: replace(one, has_first_log=False), "no longer has all its binary logs"),
        (lambda one: replace(one, other_accounts=frozenset({"report@%"})), "report@%"),
    ],
)
def test_a_new_server_is_copied_where_the_logs_of_the_source_cannot_make_it_the_same(
    change: Callable[[ServerState], ServerState], reason: str
) -> None:
    three = replace(new_server("three"), other_accounts=frozenset({"report@%"}))
    states = pair(three=three)
    plan = make_plan({**states, "one": change(states["one"])}, WANTED)

    assert kinds(plan, "three") == ["PersistSetting", "SetReadOnly", "InstallClone", "Clone", "Follow"]
    assert reason in next(step.why for step in plan.steps if type(step).__name__ == "Clone")


def test_a_changed_password_is_set_on_the_source_and_its_replicas() -> None:
    states = pair()
    user = AccountFacts(
        requires_tls=True, rights=rights_of(Role.REPLICATION, DATABASE), refusal="no", wrong_password=True
    )
    one = replace(states["one"], accounts={**states["one"].accounts, "replication": user})

    assert kinds(make_plan({**states, "one": one}, WANTED)) == ["SecureAccount", "Follow", "Follow"]


def test_the_first_of_new_servers_is_the_source_unless_another_is_named() -> None:
    states = {name: new_server(name) for name in NAMES}

    assert make_plan(states, WANTED).source == "one"
    assert make_plan(states, replace(WANTED, source="three")).source == "three"


def test_of_servers_without_data_the_only_one_that_takes_writes_stays_the_source() -> None:
    states = {name: read_only(new_server(name), on=name != "two") for name in NAMES}

    assert make_plan(states, WANTED).source == "two"


def test_the_only_server_with_data_is_the_source_wherever_it_is_listed_and_even_if_it_refuses_writes() -> None:
    states = {name: new_server(name) for name in NAMES}
    three = read_only(holding(states["three"], gtids("three", 4), STOCK), on=True)

    assert make_plan({**states, "three": three}, WANTED).source == "three"


def test_a_source_that_refuses_writes_until_its_restart_only_is_made_writable_too() -> None:
    states = pair()
    one = replace(states["one"], facts=replace(states["one"].facts, read_only=True, super_read_only=True), persisted={})

    assert kinds(make_plan({**states, "one": one}, WANTED)) == ["SetReadOnly", "PersistSetting"]


def test_data_without_a_gtid_is_refused() -> None:
    two = holding(new_server("two"), EMPTY, STOCK)

    assert refused(pair(two=two)) == ["foreign_data"]


def test_a_replica_that_lacks_purged_transactions_is_refused_unless_it_is_to_be_rebuilt() -> None:
    states = pair()
    one = replace(states["one"], purged=gtids("one", 2))
    states = {**states, "one": one, "two": holding(states["two"], gtids("one", 1), STOCK)}

    assert refused(states) == ["logs_purged"]
    rebuilt = make_plan(states, replace(WANTED, rebuild=frozenset({"two"})))
    assert kinds(rebuilt) == ["InstallClone", "ForgetSource", "SetReadOnly", "InstallClone", "Clone", "Follow"]


@pytest.mark.parametrize(("field", "code"), [("server_id", "same_server_id"), ("server_uuid", "same_server_uuid")])
def test_equal_identities_are_refused(field: str, code: str) -> None:
    states = pair()
    facts = states["three"].facts
    if field == "server_id":
        facts = replace(facts, server_id=states["two"].facts.server_id)
    else:
        facts = replace(facts, server_uuid=states["two"].facts.server_uuid)

    assert refused({**states, "three": replace(states["three"], facts=facts)}) == [code]


@pytest.mark.parametrize("address", ["elsewhere:3306", "two:3306"])
def test_a_channel_that_leads_to_none_of_the_other_servers_is_refused(address: str) -> None:
    states = pair()
    channel = ReplicationChannel("", receiver_running=False, applier_running=True, source_address=address)
    two = replace(states["two"], facts=replace(states["two"].facts, channels=(channel,)))

    assert refused({**states, "two": two}) == ["other_source"]


def test_an_account_that_is_let_in_without_encryption_is_secured() -> None:
    states = pair()
    open_to_all = AccountFacts(requires_tls=False, rights=rights_of(Role.APP, DATABASE))
    one = replace(states["one"], accounts={**states["one"].accounts, "app": open_to_all})

    assert kinds(make_plan({**states, "one": one}, WANTED)) == ["SecureAccount"]


def test_the_same_password_for_an_existing_account_is_not_set_again() -> None:
    assert make_plan(pair(), WANTED).steps == ()


FLIP = st.booleans()
RIGHTS = st.frozensets(
    st.sampled_from(
        [*rights_of(Role.APP, DATABASE), *rights_of(Role.MONITOR, DATABASE), Right("CREATE", DATABASE), Right("FILE")]
    )
)
ACCOUNT = st.builds(
    AccountFacts,
    requires_tls=FLIP,
    rights=RIGHTS,
    refusal=st.just(""),
    wrong_password=FLIP,
)


@st.composite
def worlds(draw: st.DrawFn) -> States:
    """A source with some history, and others that are new, replicas, former sources, or half of one of these."""
    history = gtids("one", draw(st.integers(2, 9)))
    one = holding(new_server("one"), history, *draw(st.sampled_from([(), (STOCK,)])))
    one = replace(
        one,
        accounts=draw(st.dictionaries(st.sampled_from([account.user for account in ACCOUNTS]), ACCOUNT)),
        schemas=frozenset({DATABASE} if draw(FLIP) else ()),
        purged=draw(st.sampled_from([EMPTY, gtids("one", 1)])),
        clone_plugin=draw(FLIP),
    )
    one = recorded(one, SourceRecord(draw(st.integers(1, 3)), uuid_of("one")) if draw(FLIP) else None)
    states = {"one": one}
    for name in NAMES[1:]:
        states[name] = _other(draw, name, one)
    if draw(FLIP) and any(state.facts.channels for state in states.values()):
        states["one"] = read_only(one, on=True)
    return states


def _other(draw: st.DrawFn, name: str, one: ServerState) -> ServerState:
    state = new_server(name)
    if draw(FLIP):
        replica = recorded(holding(state, one.executed(), *one.objects), one.facts.record)
        return following(read_only(replica, on=True), "one", running=draw(FLIP))
    if draw(FLIP) and one.objects:
        return read_only(holding(state, one.executed(), STOCK), on=True)
    return read_only(state, on=True) if draw(FLIP) else state


@given(worlds(), st.data())
def test_from_any_state_and_after_any_interruption_the_same_goal_is_reached(
    states: States, data: st.DataObject
) -> None:
    plan = make_plan(states, WANTED)
    done = data.draw(st.integers(0, len(plan.steps)))
    interrupted = carried_out(states, plan.steps[:done])
    again = make_plan(interrupted, WANTED)
    ended = carried_out(interrupted, again.steps)

    assert again.source == plan.source
    assert make_plan(ended, WANTED).steps == ()
    assert find_deviations(ended, WANTED) == ()
    assert [name for name, state in ended.items() if state.facts.writable] == [plan.source]
    for account in ACCOUNTS:
        assert ended[plan.source].accounts[account.user].rights == rights_of(account.role, DATABASE)


@given(worlds(), st.data())
def test_at_no_moment_do_two_servers_with_data_take_writes_that_did_not_before(
    states: States, data: st.DataObject
) -> None:
    plan = make_plan(states, WANTED)
    done = data.draw(st.integers(0, len(plan.steps)))
    after = carried_out(states, plan.steps[:done])
    before = {name for name, state in states.items() if state.facts.writable}
    writable = {name for name, state in after.items() if state.facts.writable and (state.objects or not state.is_new)}

    assert len(writable - before) <= 1
    assert writable <= before | {plan.source}


def test_the_monitor_is_granted_exactly_the_tables_that_it_queries() -> None:
    assert set(re.findall(r"performance_schema\.(\w+)", PROBE_QUERY)) == set(MONITOR_TABLES)


def test_credentials_of_a_role_are_never_those_of_another() -> None:
    same = (ACCOUNTS[0], replace(ACCOUNTS[1], credentials=Credentials(ACCOUNTS[0].user, "x")))

    with pytest.raises(ValueError, match="Each role needs a separate account"):
        replace(WANTED, accounts=same)
