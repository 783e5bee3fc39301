"""How a server comes to follow the source: new ones by binary logs or a copy, former ones from their position."""

from collections.abc import Iterator

from inventory_replication.provisioning.plan.desired_state import DesiredState
from inventory_replication.provisioning.plan.roles import Roles
from inventory_replication.provisioning.plan.server_state import ServerState
from inventory_replication.provisioning.plan.steps import (
    Clone,
    EmptyNewServer,
    Follow,
    ForgetSource,
    InstallClone,
    SetReadOnly,
    StartReplica,
    Step,
)

_NEW = "it is new"
_LOGIN_ERRORS = ("1045:", "1698:", "2061:", "3118:", "3159:")
"""Prefixes of receiver errors that other channel settings may fix."""


def attach(state: ServerState, source: ServerState, desired: DesiredState) -> Iterator[Step]:
    """Return the steps for a server whose content does not matter."""
    reason = clone_reason(state, source, desired)
    if reason:
        yield from _copy(state, source, reason)
        why = "it holds a copy of the source then"
    else:
        left = tuple(sorted(state.schemas & (source.schemas | {desired.database})))
        if state.executed() or left:
            why = "what its initialisation did is not part of the source's history"
            yield EmptyNewServer(state.name, "not_a_replica", why, left)
        yield SetReadOnly(state.name, "writable_replica", "it is to be a replica", on=True)
        why = f"it is new, and {source.name} still has every transaction in its binary logs"
    yield Follow(state.name, "not_a_replica", why, source.name)


def clone_reason(state: ServerState, source: ServerState, desired: DesiredState) -> str:
    """Return why the server must be copied from the source; empty if replaying the source's binary logs is enough."""
    if state.name in desired.rebuild:
        return "it is to be rebuilt"
    if source.purged or not source.has_first_log:
        return f"{_NEW}, and {source.name} no longer has all its binary logs"
    doubled = sorted(state.other_accounts & source.other_accounts)
    if doubled:
        return f"{_NEW}, but has accounts that the binary logs of {source.name} may create again: {', '.join(doubled)}"
    return ""


def rejoin(
    state: ServerState, source: ServerState, roles: Roles, desired: DesiredState, *, password_changed: bool
) -> Iterator[Step]:
    """Return the steps for a server that holds part of the source's history and nothing else."""
    if roles.follows[state.name] != source.name:
        now = roles.follows[state.name]
        why = f"it follows {now}, which is no longer the source" if now else "it follows no server"
        yield Follow(state.name, "not_a_replica", why, source.name)
        return
    fault = _fault_of_channel(state, desired)
    if password_changed and not fault:
        fault = "the password of the replication account changes"
    (channel,) = state.facts.channels
    if fault:
        yield Follow(state.name, "channel_settings", fault, source.name)
    elif not channel.receiver_enabled or not channel.applier_running:
        yield StartReplica(state.name, "replica_stopped", "its replication does not run")


def _fault_of_channel(state: ServerState, desired: DesiredState) -> str:
    settings, (channel,) = state.channel, state.facts.channels
    if settings is None or settings.user != desired.replication().user:
        return "it logs in on the source with another account"
    if not settings.auto_position:
        return "it follows without auto-position"
    if desired.tls and not settings.encrypted:
        return "it follows without encryption"
    verification = (desired.source_ca, desired.source_verify_host) if desired.tls else ("", False)
    if (settings.ca_file, settings.verify_host) != verification:
        return "it checks the source's certificate in another way"
    if not channel.receiver_running and channel.receiver_error.startswith(_LOGIN_ERRORS):
        return f"its login on the source fails ({channel.receiver_error.partition(':')[0]})"
    return ""


def _copy(state: ServerState, source: ServerState, reason: str) -> Iterator[Step]:
    if not source.clone_plugin:
        yield InstallClone(source.name, "not_a_replica", f"{state.name} is to be copied from it")
    if state.facts.channels:
        yield ForgetSource(state.name, "not_a_replica", "its content is replaced")
    # Before the copy, which would otherwise start as a second writable server with data.
    yield SetReadOnly(state.name, "writable_replica", "it is to be a replica", on=True)
    if not state.clone_plugin:
        yield InstallClone(state.name, "not_a_replica", reason)
    yield Clone(state.name, "not_a_replica", reason, source.name)
