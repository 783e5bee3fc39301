"""Finds deviations: what provisioning would change, and what replication itself reports."""

import time
from collections.abc import Iterator
from dataclasses import replace

from inventory_replication.provisioning.admin import POLL_SECONDS, ClusterAdmin
from inventory_replication.provisioning.plan.desired_state import DesiredState
from inventory_replication.provisioning.plan.findings import PROVISION, ChecksFailed, Finding, blocking
from inventory_replication.provisioning.plan.planner import Plan, make_plan
from inventory_replication.provisioning.plan.roles import Roles, States
from inventory_replication.provisioning.plan.server_state import ServerState
from inventory_replication.provisioning.plan.steps import StartReplica
from inventory_replication.provisioning.row_checksums import compare_rows
from inventory_replication.provisioning.server_admin import AdminError

TRANSIENT = frozenset({"no_answer", "receiver"})
"""Codes of deviations that may disappear on their own."""

MAX_CLOCK_SKEW_SECONDS = 5.0
"""Difference of clocks that is not reported."""

_SHOWN = 160
_RECEIVER_CURES = (
    (("1045", "1698", "2061"), f"check the replication account and its password, then {PROVISION}"),
    (("2002", "2003", "2005"), "it cannot reach the source at that address; set the right one with --peer-address"),
    (("2026",), "check the certificates, and the path in --source-ca, which is a path on the replica"),
    (("1236", "13114", "13115"), "the source cannot send what it lacks; copy it again with provision --rebuild {name}"),
)


def verify(admin: ClusterAdmin, *, wait: float, rows: bool) -> tuple[Finding, ...]:
    """Query all servers and return each deviation; changes nothing.

    Args:
        admin: Of all servers.
        wait: Seconds for what may disappear on its own: servers that start, replicas that reconnect.
        rows: Also compare the rows of replicas with those of the source, unless other deviations prevent replication.
    """
    findings = verify_until_settled(admin, wait=wait, catch_up=False)
    if not rows or blocking(findings):
        return findings
    try:
        states = admin.gather()
        plan = make_plan(states, replace(admin.desired, rebuild=frozenset()))
        return (*findings, *compare_rows(admin, states, plan.roles, wait=wait))
    except ChecksFailed as refusal:
        return refusal.findings
    except AdminError as failure:
        return (*findings, Finding("rows_not_compared", failure.server, str(failure), ""))


def verify_until_settled(admin: ClusterAdmin, *, wait: float, catch_up: bool) -> tuple[Finding, ...]:
    """Verify, and again while all deviations may disappear on their own.

    Args:
        admin: Of all servers.
        wait: Seconds after which the result is final.
        catch_up: Replicas must also get what the source has now.
    """
    until = time.monotonic() + wait
    # Servers to rebuild have been rebuilt.
    desired = replace(admin.desired, rebuild=frozenset())
    while True:
        try:
            states = admin.gather(max(0.0, until - time.monotonic()))
            findings = find_deviations(states, desired)
            waiting = catch_up and not blocking(findings)
            behind = tuple(_find_lagging(admin, make_plan(states, desired), states, until)) if waiting else ()
            if behind:
                found = find_deviations(admin.gather(), desired)
                return found if blocking(found) else (*found, *behind)
        except ChecksFailed as refusal:
            return refusal.findings
        faults = {finding.code for finding in blocking(findings)}
        if faults - TRANSIENT or not faults or time.monotonic() >= until:
            return findings
        time.sleep(POLL_SECONDS)


def find_deviations(states: States, desired: DesiredState) -> tuple[Finding, ...]:
    """Return every deviation, from facts alone."""
    try:
        plan = make_plan(states, desired)
    except ChecksFailed as refusal:
        return refusal.findings
    unhealthy = tuple(check_health(states, plan.roles, desired))
    # Provisioning restarts it, but the operator must know the error.
    broken = {finding.server for finding in unhealthy if finding.code == "applier"}
    found = tuple(
        Finding(step.code, step.server, f"{states[step.server].label}: {step.why}", PROVISION)
        for step in plan.steps
        if not (isinstance(step, StartReplica) and step.server in broken)
    )
    planned = {finding.server for finding in found}
    return (*found, *(finding for finding in unhealthy if finding.server not in planned))


def check_health(states: States, roles: Roles, desired: DesiredState) -> Iterator[Finding]:
    """Yield what replication and the servers themselves report."""
    source = states[roles.source]
    for state in states.values():
        label = state.label
        if state.tracking_fault:
            cure = "connect without a proxy that hides it; writes cost one more round trip until then"
            yield Finding("session_tracking", state.name, f"{label} reports no GTIDs: {state.tracking_fault}", cure)
        if state.settings["session_track_gtids"] != "OFF":
            cure = "SET PERSIST session_track_gtids=OFF there; sessions that need it switch it on themselves"
            yield Finding("tracking_everywhere", state.name, f"{label} has session_track_gtids on for all", cure)
        yield from _check_clock(state, source)
        if state is not source and roles.follows[state.name] == source.name:
            yield from _check_replica_health(state, source)
    for account in desired.accounts:
        found = source.accounts.get(account.user)
        if found and found.refusal and not found.wrong_password:
            yield Finding("account_refused", source.name, found.refusal, "fix that")


def _check_clock(state: ServerState, source: ServerState) -> Iterator[Finding]:
    """Check the clock. Replication does not need clocks; times of movements and session lifetimes do."""
    other = "this machine's" if state is source else f"that of {source.name}"
    ahead = state.clock_ahead - (0.0 if state is source else source.clock_ahead)
    if abs(ahead) > MAX_CLOCK_SKEW_SECONDS:
        what = f"the clock of {state.label} is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} {other}"
        yield Finding(
            "clock", state.name, what, "synchronise all clocks with NTP; recorded times and sessions depend on them"
        )


def _check_replica_health(state: ServerState, source: ServerState) -> Iterator[Finding]:
    (channel,) = state.facts.channels
    if channel.applier_error and not channel.applier_running:
        cure = f"fix the cause and START REPLICA there, or copy it again with provision --rebuild {state.name}"
        error = channel.applier_error[:_SHOWN]
        yield Finding("applier", state.name, f"{state.label} does not apply what it received ({error})", cure)
    if not channel.receiver_running:
        error = channel.receiver_error
        cure = next((cure for numbers, cure in _RECEIVER_CURES if error.startswith(numbers)), "see its log")
        what = f"{state.label} is not connected to {source.name} at {channel.source_address}"
        number, _, text = error.partition(": ")
        # The server begins with the account, the address and its attempts; the cause follows.
        shown = f" ({number}: {text.rpartition('Message: ')[2][:_SHOWN]})" if error else ""
        yield Finding("receiver", state.name, f"{what}{shown}", cure.format(name=state.name))
    lacking = sorted(source.objects - state.objects)
    if lacking and source.executed_later <= state.executed():
        what = f"{state.label} has every transaction of {source.name} but not {lacking[0]}, so some data has no GTID"
        cure = f"copy it again with provision --rebuild {state.name}"
        yield Finding("tables_differ", state.name, what, cure)


def _find_lagging(admin: ClusterAdmin, plan: Plan, states: States, until: float) -> Iterator[Finding]:
    position = states[plan.source].executed_later
    for name in states.keys() - {plan.source}:
        state = states[name]
        try:
            missing = admin.server(name).count_missing(position, max(1.0, until - time.monotonic()))
        except AdminError:
            missing = state.executed_later.count_missing(position)
        if missing:
            what = f"{state.label} has not caught up with {plan.source}: {missing} transactions are missing"
            yield Finding("behind", name, what, "wait, and check `inventory-replication status`")
