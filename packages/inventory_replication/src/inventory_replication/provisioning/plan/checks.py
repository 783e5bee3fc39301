"""Checks that make provisioning impossible or dangerous; run on all servers before any of them is changed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from inventory_replication.provisioning.plan.desired_state import DesiredState
from inventory_replication.provisioning.plan.findings import Finding
from inventory_replication.provisioning.plan.roles import Roles, States, find_leader
from inventory_replication.provisioning.plan.server_state import MIN_VERSION, ServerState

_SHOWN = 120
_NEEDED: Final = {
    "no_gtids": {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"},
    "no_binary_log": {"log_bin": "1", "log_replica_updates": "1"},
    "binlog_format": {"binlog_format": "ROW"},
}
_SWITCH: Final = {"1": "ON"}


def check_servers(states: States, desired: DesiredState) -> tuple[Finding, ...]:
    """Return the findings that do not depend on the servers' roles."""
    found = [finding for state in states.values() for finding in _check_server(state, desired)]
    found += _check_identities(states)
    for state in states.values():
        if state.facts.channels and state.name not in desired.rebuild and not find_leader(state, states, desired):
            found.append(_follows_a_stranger(state))
    return tuple(found)


def check_roles(states: States, roles: Roles, desired: DesiredState) -> tuple[Finding, ...]:
    """Return the findings about the servers in their roles."""
    source = states[roles.source]
    found: list[Finding] = []
    if source.name in desired.rebuild:
        what = f"{source.label} is the source ({roles.reason})"
        found.append(Finding("not_the_source", source.name, what, "rebuild a replica instead, or switch over first"))
    for state in states.values():
        if state is not source and state.name not in desired.rebuild:
            found += _check_replica(state, source)
        if state.version < source.version:
            what = f"{state.label} has MySQL {_dotted(state.version)}, its source {_dotted(source.version)}"
            found.append(Finding("old_version", state.name, what, "update the replica first"))
    return tuple(found)


def _check_server(state: ServerState, desired: DesiredState) -> Iterator[Finding]:
    def finding(code: str, what: str, cure: str) -> Finding:
        return Finding(code, state.name, f"{state.label} {what}", cure)

    if state.version < MIN_VERSION:
        yield finding("old_version", f"has MySQL {_dotted(state.version)}", "MySQL 8.4 or newer is needed")
    for code, needed in _NEEDED.items():
        wrong = [f"{name}={state.settings[name]}" for name, value in needed.items() if state.settings[name] != value]
        if wrong:
            cure = f"set {', '.join(f'{name}={_SWITCH.get(value, value)}' for name, value in needed.items())}"
            yield finding(code, f"has {', '.join(wrong)}", f"{cure} in its option file and restart it")
    if desired.tls and not state.offers_tls:
        yield finding("no_tls", "does not accept encrypted connections", "give it a certificate (ssl_cert, ssl_key)")
    if len(state.facts.channels) > 1 or any(channel.name for channel in state.facts.channels):
        yield finding(
            "several_channels", "has several or named replication channels", "remove them with RESET REPLICA ALL"
        )
    for user in sorted(state.accounts):
        if any(
            right.privilege in {"SUPER", "CREATE USER"} and not right.schema for right in state.accounts[user].rights
        ):
            what = f"has an account {user} that administers it"
            yield finding("privileged_account", what, "use a separate account for each role")


def _check_identities(states: States) -> list[Finding]:
    found: list[Finding] = []
    cures = {
        "same_server_uuid": "list each server once; if a data folder was copied, remove auto.cnf from the copy and restart it",
        "same_server_id": "give each server its own server_id and restart it",
    }
    for code, cure in cures.items():
        groups: defaultdict[str, list[ServerState]] = defaultdict(list)
        for state in states.values():
            groups[str(getattr(state.facts, code.removeprefix("same_")))].append(state)
        for value, sharing in groups.items():
            if len(sharing) > 1:
                labels = " and ".join(state.label for state in sharing)
                what = f"{labels} have one {code.removeprefix('same_')} ({value})"
                # Of two, the writable one is more likely the right one.
                culprit = next((state for state in reversed(sharing) if not state.facts.writable), sharing[-1])
                found.append(Finding(code, culprit.name, what, cure))
    return found


def _follows_a_stranger(state: ServerState) -> Finding:
    channel = state.facts.channels[0]
    where = f"{channel.source_address}, server_uuid {channel.source_uuid or 'unknown'}"
    return Finding(
        "other_source",
        state.name,
        f"{state.label} is a replica of a source that is not among these servers ({where})",
        f"list that one too; or, if its data may be deleted, add --rebuild {state.name}; or, to stop "
        "following it, run STOP REPLICA and RESET REPLICA ALL there",
    )


def _check_replica(state: ServerState, source: ServerState) -> Iterator[Finding]:
    if state.is_new:
        return
    rebuild = f"if its data may be deleted, add --rebuild {state.name}"
    errant = state.errant_against(source)
    if errant:
        what = f"{state.label} has transactions that {source.name} has not ({errant.compact()[:_SHOWN]})"
        cure = f"save what exists only there, then, {rebuild}; if it has the right data, make it the source instead"
        yield Finding("errant_transactions", state.name, what, cure)
    elif state.objects and not state.executed() and not state.facts.channels:
        what = f"{state.label} holds data of its own, such as {min(state.objects)}, without any GTID"
        yield Finding("foreign_data", state.name, what, rebuild)
    elif not source.purged <= state.executed():
        what = f"{state.label} lacks transactions that {source.name} no longer has in its binary logs"
        yield Finding("logs_purged", state.name, what, f"copy it again: {rebuild}")


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
