"""Which server is the source, and which may be opened after a restart, from facts and records of earlier changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from inventory_replication.decisions.snapshot import ServerFacts, SourceRecord, latest_record
from inventory_replication.provisioning.plan.desired_state import DesiredState
from inventory_replication.provisioning.plan.findings import Finding
from inventory_replication.provisioning.plan.server_state import ServerState

States = Mapping[str, ServerState]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of the servers.

    Args:
        source: Name of the source.
        reason: How it was found, for people.
        follows: For each server the name of the one that it follows; empty: none, or an unknown one.
    """

    source: str
    reason: str
    follows: Mapping[str, str]


def find_leader(state: ServerState, states: States, desired: DesiredState) -> str:
    """Return the name of the server that this one replicates from; empty if it is none of these.

    The identity of the source decides if it is known; a channel that never connected is matched by its address.
    """
    for channel in state.facts.channels:
        for name, other in states.items():
            host, port = desired.peer(name)
            never_met = not channel.source_uuid and channel.source_address == f"{host}:{port}"
            if name != state.name and (channel.source_uuid == other.facts.server_uuid or never_met):
                return name
    return ""


def newest_record(states: States, desired: DesiredState) -> SourceRecord | None:
    """Return the latest record that a server stores or this command remembers."""
    return latest_record([desired.remembered, *(state.facts.record for state in states.values())])


def writable_servers(states: States, record: SourceRecord | None) -> list[str]:
    """Return the names of writable servers, except those that missed the latest change of the source."""
    return [
        name
        for name, state in states.items()
        if state.facts.writable and not (record and record.supersedes(state.facts.server_uuid, state.facts.record))
    ]


def find_roles(states: States, desired: DesiredState) -> Roles | Finding:
    """Find the source, or return why it is ambiguous.

    The recorded server is the source, unless another one that knows this record is writable: then an operator made it the
    source. If none of these servers is recorded, the one that the others follow is the source. A server that alone is writable
    overrides that, since an interrupted switchover leaves its target writable before the others follow it. If no server follows
    another: the named one, the only one with data, the only writable one with data, or the first of new servers.
    """
    follows = {name: find_leader(state, states, desired) for name, state in states.items()}
    roots = {leader for leader in follows.values() if leader and not follows[leader]}
    record = newest_record(states, desired)
    writable = writable_servers(states, record)
    for name, state in states.items():
        if record and state.facts.server_uuid == record.server_uuid and set(writable) <= {name}:
            return _agreed(
                desired, states, Roles(name, f"it is on record as the source (epoch {record.epoch})", follows)
            )
    if not any(follows.values()):
        return _by_data(states, desired, follows)
    if len(writable) == 1 and not (roots - set(writable) and states[writable[0]].is_new):
        return _agreed(desired, states, Roles(writable[0], "it alone takes writes", follows))
    if len(roots) == 1:
        return _agreed(desired, states, Roles(roots.pop(), "the others follow it", follows))
    return _ambiguous(states, "the servers follow one another in a circle, or several sources")


def _by_data(states: States, desired: DesiredState, follows: Mapping[str, str]) -> Roles | Finding:
    if desired.source:
        return Roles(desired.source, "it was named as the source", follows)
    holding = [name for name, state in states.items() if not state.is_new]
    writable = [name for name, state in states.items() if state.facts.writable]
    if not holding and len(writable) == 1:
        return Roles(writable[0], "no server holds data, and it alone takes writes", follows)
    if not holding:
        return Roles(desired.servers[0].name, "all servers are new, and it is listed first", follows)
    if len(holding) == 1:
        return Roles(holding[0], "it alone holds data", follows)
    deciding = [name for name in holding if name in writable]
    if len(deciding) == 1:
        return Roles(deciding[0], "of those that hold data it alone takes writes", follows)
    return _ambiguous(states, f"{' and '.join(holding)} hold data, and none follows another")


def _agreed(desired: DesiredState, states: States, roles: Roles) -> Roles | Finding:
    if desired.source in {"", roles.source}:
        return roles
    label = states[desired.source].label
    return Finding(
        "not_the_source",
        desired.source,
        f"{label} was named as the source, but {roles.source} is ({roles.reason})",
        f"run `inventory-replication switchover {desired.source}` to make it the source, or do not name it",
    )


def _ambiguous(states: States, why: str) -> Finding:
    first = next(iter(states.values()))
    return Finding(
        "ambiguous_source",
        first.name,
        f"{', '.join(state.label for state in states.values())}: the source is ambiguous, because {why}",
        "name the one with the right data with --source, or remove a wrong channel with RESET REPLICA ALL",
    )


class OpeningDecision(NamedTuple):
    """Which server to open.

    Args:
        server: Name of the server to open; ``None``: none.
        reason: Why, for people.
        healthy: The recorded server, and no other, accepts writes.
    """

    server: str | None
    reason: str
    healthy: bool = False


def find_server_to_open(answers: Mapping[str, ServerFacts | None], remembered: SourceRecord | None) -> OpeningDecision:
    """Find the recorded source if it refuses writes and no other server can have become the source since.

    That is certain if this command remembers the same record, because it remembers each change before a server is opened; or if
    all servers answer and none has a later record.

    Args:
        answers: Of every server by name; ``None``: it does not answer.
        remembered: The latest change that this command knows; ``None``: it remembers nothing.
    """
    facts = {name: fact for name, fact in answers.items() if fact is not None}
    newest = latest_record([remembered, *(fact.record for fact in facts.values())])
    if newest is None:
        return OpeningDecision(None, "No source is on record: run `inventory-replication provision`.")
    name = next((name for name, fact in facts.items() if fact.server_uuid == newest.server_uuid), None)
    writable = [
        each for each, fact in facts.items() if fact.writable and not newest.supersedes(fact.server_uuid, fact.record)
    ]
    if writable:
        healthy = writable == [name]
        advice = (
            "" if healthy else f" {name or newest.server_uuid} is on record: run `inventory-replication provision`."
        )
        return OpeningDecision(None, f"{' and '.join(writable)} takes writes.{advice}", healthy)
    if name is None:
        why = f"The source on record (epoch {newest.epoch}, server_uuid {newest.server_uuid}) does not answer"
        return OpeningDecision(None, f"{why}; no other server is opened.")
    if facts[name].record != newest:
        what = f"{name} was to become the source (epoch {newest.epoch}) and is not yet"
        return OpeningDecision(None, f"{what}: run `inventory-replication provision`.")
    silent = [each for each in answers if each not in facts]
    if silent and remembered != newest:
        return OpeningDecision(
            None, f"{name} is on record as the source, but {' and '.join(silent)} may have a newer record."
        )
    return OpeningDecision(name, f"{name} is on record as the source (epoch {newest.epoch})")
