"""Servers without servers: what each step makes of what is known of one, to hold plans against."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.snapshot import ReplicationChannel, ServerFacts, SourceRecord
from inventory_replication.provisioning.plan import steps as s
from inventory_replication.provisioning.plan.desired_state import Account, DesiredState, Role, rights_of
from inventory_replication.provisioning.plan.planner import Plan, make_plan
from inventory_replication.provisioning.plan.server_state import AccountFacts, ChannelSettings, ServerState

NAMES = ("one", "two", "three")
DATABASE = "inventory"
STOCK = "inventory.stock"
ACCOUNTS = tuple(Account(role, Credentials(str(role), f"{role}-secret")) for role in Role)
WANTED = DesiredState(
    servers=tuple(Server(name, name) for name in NAMES), database=DATABASE, accounts=ACCOUNTS, source_ca="/ca.pem"
)
SETTINGS = {
    "gtid_mode": "ON",
    "enforce_gtid_consistency": "ON",
    "log_bin": "1",
    "log_replica_updates": "1",
    "binlog_format": "ROW",
    "replica_preserve_commit_order": "1",
    "relay_log_recovery": "0",
    "log_bin_trust_function_creators": "1",
    "session_track_gtids": "OFF",
}
States = Mapping[str, ServerState]


def uuid_of(name: str) -> str:
    return f"{NAMES.index(name):08}-0000-0000-0000-000000000000"


def gtids(name: str, last: int, first: int = 1) -> GtidSet:
    return GtidSet.of(uuid_of(name), first, last)


def new_server(name: str) -> ServerState:
    """As it comes out of its image: an empty schema, one transaction of its own."""
    executed = gtids(name, 1)
    return ServerState(
        name=name,
        address=f"{name}:3306",
        facts=ServerFacts(
            uuid_of(name),
            NAMES.index(name) + 1,
            read_only=False,
            super_read_only=False,
            gtids_on=True,
            executed=executed,
        ),
        version=(9, 7),
        settings=SETTINGS,
        executed_later=executed,
        schemas=frozenset({DATABASE}),
    )


def holding(state: ServerState, executed: GtidSet, *objects: str) -> ServerState:
    """The same server with this history and these tables."""
    facts = replace(state.facts, executed=executed)
    return replace(state, facts=facts, executed_later=executed, objects=frozenset(objects))


def read_only(state: ServerState, *, on: bool) -> ServerState:
    """It refuses writes, or takes them until its next restart."""
    facts = replace(state.facts, read_only=on, super_read_only=on)
    return replace(state, facts=facts, persisted={**state.persisted, "super_read_only": "ON", "read_only": "ON"})


def recorded(state: ServerState, record: SourceRecord | None) -> ServerState:
    return replace(state, facts=replace(state.facts, record=record))


def following(state: ServerState, source: str, *, running: bool = True) -> ServerState:
    channel = ReplicationChannel(
        uuid_of(source) if running else "", running, running, source_address=f"{source}:3306", receiver_enabled=running
    )
    settings = ChannelSettings("replication", encrypted=True, ca_file="/ca.pem", auto_position=True)
    return replace(state, facts=replace(state.facts, channels=(channel,)), channel=settings)


def carried_out(states: States, steps: Iterable[s.Step]) -> dict[str, ServerState]:
    """What the servers are after these steps; replicas have caught up."""
    after = dict(states)
    for step in steps:
        after[step.server] = _after(after[step.server], step, after)
        for name, state in after.items():
            leader = state.facts.channels[0].source_address.partition(":")[0] if state.facts.channels else ""
            if leader and state.facts.channels[0].applier_running:
                source = after[leader]
                executed = state.executed() | source.executed()
                copy = recorded(holding(state, executed, *source.objects), source.facts.record)
                after[name] = replace(copy, schemas=state.schemas | source.schemas, accounts=source.accounts)
    return after


def _after(state: ServerState, step: s.Step, states: States) -> ServerState:  # noqa: C901, PLR0911, PLR0912 - one case per step
    match step:
        case s.CreateSchema(schema=schema):
            return _written(replace(state, schemas=state.schemas | {schema}))
        case s.CreateAccount(account=account):
            return _with_account(state, account.user, AccountFacts(requires_tls=True, rights=frozenset()))
        case s.SecureAccount(account=account):
            found = state.accounts[account.user]
            return _with_account(state, account.user, AccountFacts(requires_tls=True, rights=found.rights))
        case s.GrantRights(user=user, rights=rights):
            found = state.accounts[user]
            return _with_account(state, user, replace(found, rights=found.rights | rights))
        case s.RevokeRights(user=user, rights=rights):
            found = state.accounts[user]
            return _with_account(state, user, replace(found, rights=found.rights - rights))
        case s.SetReadOnly(on=on):
            assert on or state.facts.record == SourceRecord(state.facts.record.epoch, state.facts.server_uuid)  # type: ignore[union-attr]
            return read_only(state, on=on)
        case s.RefuseWritesAtStart():
            return replace(state, persisted={**state.persisted, "super_read_only": "ON", "read_only": "ON"})
        case s.RecordSource(record=record):
            return recorded(_committed(state), record)
        case s.PersistSetting(variable=variable, value=value, now=now):
            settings = {**state.settings, variable: "1"} if now else state.settings
            return replace(state, settings=settings, persisted={**state.persisted, variable: value})
        case s.EmptyNewServer(schemas=schemas):
            assert state.is_new
            return replace(holding(state, EMPTY), schemas=state.schemas - set(schemas), purged=EMPTY)
        case s.InstallClone():
            return replace(state, clone_plugin=True)
        case s.Clone(donor=donor):
            assert state.clone_plugin
            assert states[donor].clone_plugin
            assert state.facts.super_read_only, "a copy must not come up as a second writable server"
            copy = holding(state, states[donor].executed(), *states[donor].objects)
            copy = recorded(copy, states[donor].facts.record)
            return replace(copy, purged=states[donor].executed(), accounts=states[donor].accounts)
        case s.Follow(source=source):
            assert states[source].accounts["replication"].rights == rights_of(Role.REPLICATION, DATABASE)
            assert states[source].purged <= state.executed(), "the source cannot send what this replica lacks"
            assert state.executed() <= states[source].executed(), "errant transactions"
            return following(state, source)
        case s.StartReplica():
            return following(state, state.facts.channels[0].source_address.partition(":")[0])
        case s.ForgetSource():
            return replace(state, facts=replace(state.facts, channels=()), channel=None)
    raise AssertionError(step)


def _with_account(state: ServerState, user: str, account: AccountFacts) -> ServerState:
    return _written(replace(state, accounts={**state.accounts, user: account}))


def _written(state: ServerState) -> ServerState:
    """One transaction of its own more; only a server that takes writes can have one."""
    assert state.facts.writable, f"{state.name} refuses writes"
    return _committed(state)


def _committed(state: ServerState) -> ServerState:
    own = [
        last
        for (uuid, _), found in state.executed().by_origin.items()
        if uuid == uuid_of(state.name)
        for _, last in found
    ]
    return holding(state, state.executed() | gtids(state.name, max(own, default=0) + 1), *state.objects)


def pair(**changed: ServerState) -> States:
    """A source and two replicas, all as they should be, unless it says otherwise."""
    states = {name: new_server(name) for name in NAMES} | {"one": holding(new_server("one"), gtids("one", 3), STOCK)}
    done = carried_out(states, make_plan(states, WANTED).steps)
    return {**done, **changed}


def kinds(plan: Plan, server: str = "") -> list[str]:
    return [type(step).__name__ for step in plan.steps if server in {"", step.server}]
