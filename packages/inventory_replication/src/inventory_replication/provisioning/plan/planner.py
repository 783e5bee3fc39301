"""Turns the state of servers into the steps to their desired state. Pure: the same state yields the same plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.provisioning.plan.attach import attach, rejoin
from inventory_replication.provisioning.plan.checks import check_roles, check_servers
from inventory_replication.provisioning.plan.desired_state import Account, DesiredState, Role, rights_of
from inventory_replication.provisioning.plan.findings import ChecksFailed, Finding
from inventory_replication.provisioning.plan.roles import Roles, States, find_roles, newest_record
from inventory_replication.provisioning.plan.server_state import ServerState
from inventory_replication.provisioning.plan.steps import (
    CreateAccount,
    CreateSchema,
    ForgetSource,
    GrantRights,
    PersistSetting,
    RecordSource,
    RefuseWritesAtStart,
    RevokeRights,
    SecureAccount,
    SetReadOnly,
    Step,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in order; empty if there is nothing to do.

    Args:
        roles: Which server is the source, and how that was decided.
        record: The record of the source to be stored.
        steps: Each is repeatable; after an interruption a new plan continues where this one stopped.
    """

    roles: Roles
    record: SourceRecord
    steps: tuple[Step, ...]

    @property
    def source(self) -> str:
        """Name of the source."""
        return self.roles.source


def make_plan(states: States, desired: DesiredState) -> Plan:
    """Return the steps to the desired state.

    Replicas are made read-only before the source is changed, and the source has its accounts before a replica is attached.

    Raises:
        ChecksFailed: A check failed; the error contains every finding.
    """
    roles = require_roles(states, desired)
    source = states[roles.source]
    replicas = [state for state in states.values() if state is not source]
    steps = [step for state in replicas for step in _protect(state, desired)]
    record = record_of(source, states, desired)
    steps += _ready_source(source, record, desired)
    password_changed = any(isinstance(step, SecureAccount) and step.account == desired.replication() for step in steps)
    for state in states.values():
        steps += _settle(state, desired)
    for state in replicas:
        if state.is_new or state.name in desired.rebuild:
            steps += attach(state, source, desired)
        else:
            steps += rejoin(state, source, roles, desired, password_changed=password_changed)
    if source.facts.channels:
        steps.append(ForgetSource(source.name, "leftover_channel", "it has a channel from when it was a replica"))
    return Plan(roles, record, tuple(steps))


def record_of(source: ServerState, states: States, desired: DesiredState) -> SourceRecord:
    """Return the record to store for the source: the latest record if it names the source, else the next one."""
    newest = newest_record(states, desired)
    if newest and newest.server_uuid == source.facts.server_uuid:
        return newest
    return SourceRecord(newest.epoch + 1 if newest else 1, source.facts.server_uuid)


def require_roles(states: States, desired: DesiredState) -> Roles:
    """Return the roles of the servers.

    Raises:
        ChecksFailed: A check failed.
    """
    findings = list(check_servers(states, desired))
    roles = find_roles(states, desired)
    if isinstance(roles, Finding):
        if not any(finding.code == "other_source" for finding in findings):
            findings.append(roles)
    elif not findings:
        findings += check_roles(states, roles, desired)
    if findings or isinstance(roles, Finding):
        raise ChecksFailed(tuple(findings))
    return roles


def _protect(state: ServerState, desired: DesiredState) -> Iterator[Step]:
    """Make a replica with data read-only before any other step."""
    if state.is_new or state.name in desired.rebuild:
        return
    if not state.facts.super_read_only:
        yield SetReadOnly(state.name, "writable_replica", "it is a replica and takes writes", on=True)
    elif state.persisted.get("super_read_only") != "ON":
        yield SetReadOnly(state.name, "writable_replica", "it would take writes after a restart", on=True)


def _ready_source(source: ServerState, record: SourceRecord, desired: DesiredState) -> Iterator[Step]:
    if source.facts.record != record:
        yield RecordSource(source.name, "source_record", "it is not on record as the source", record)
    if not source.facts.writable:
        yield SetReadOnly(source.name, "source_read_only", "it is the source and takes no writes", on=False)
    elif any(source.persisted.get(variable) != "ON" for variable in ("super_read_only", "read_only")):
        why = "it would take writes after a restart, even if another server is the source then"
        yield RefuseWritesAtStart(source.name, "open_at_start", why)
    if desired.database not in source.schemas:
        why = f"it has no schema {desired.database}"
        yield CreateSchema(source.name, "schema", why, desired.database)
    for account in desired.accounts:
        yield from _ready_account(source, account, desired)


def _ready_account(source: ServerState, account: Account, desired: DesiredState) -> Iterator[Step]:
    user = account.user
    needed = rights_of(account.role, desired.database, desired.updatable_tables)
    found = source.accounts.get(user)
    if found is None:
        why = f"it has no account {user} ({account.role})"
        yield CreateAccount(source.name, "account_missing", why, account.credentials, desired.tls)
    elif found.wrong_password:
        why = f"it does not accept the configured password of {user}"
        yield SecureAccount(source.name, "account_password", why, account.credentials, desired.tls)
    elif desired.tls and not found.requires_tls:
        why = f"it lets {user} in without encryption"
        yield SecureAccount(source.name, "account_tls", why, account.credentials, desired.tls)
    held = found.rights if found else frozenset()
    if needed - held:
        why = f"{user} lacks rights of the role {account.role}"
        yield GrantRights(source.name, "account_rights", why, user, needed - held)
    if held - needed:
        why = f"{user} has more rights than the role {account.role} needs"
        yield RevokeRights(source.name, "account_rights", why, user, held - needed)


def _settle(state: ServerState, desired: DesiredState) -> Iterator[Step]:
    """Return settings that a server needs in either role; the source may be a replica tomorrow."""
    migrates = any(account.role is Role.MIGRATOR for account in desired.accounts)
    if migrates and state.settings["log_bin_trust_function_creators"] != "1":
        why = "with its binary log on, the migrator account cannot create triggers"
        yield PersistSetting(state.name, "setting", why, "log_bin_trust_function_creators", "ON", now=True)
    if state.settings["replica_preserve_commit_order"] != "1":
        why = "it may show states that never existed on the source"
        yield PersistSetting(state.name, "setting", why, "replica_preserve_commit_order", "ON", now=True)
    if "ON" not in {state.persisted.get("relay_log_recovery"), _switch(state.settings["relay_log_recovery"])}:
        why = "after a crash it may continue from a damaged relay log"
        yield PersistSetting(state.name, "setting", why, "relay_log_recovery", "ON", now=False)


def _switch(value: str) -> str:
    return "ON" if value == "1" else "OFF"
