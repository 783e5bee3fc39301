"""Changes of the source: planned (switchover) and unplanned (failover).

In a switchover under load no acknowledged write is lost, and a refusal leaves everything as it was. The old source refuses
writes before the new one accepts them, so there are never two. Until the target is recorded as the source everything can be
rolled back, and is. After that the next run of this command or of provisioning completes an interrupted one.

In a failover a replica replaces a source that a person has given up. Nothing can prove from here that a server that does not
answer is dead, so its name must be given. It cannot return as a second source: it starts read-only, and the record of its
successor keeps it so.
"""

from contextlib import suppress
from dataclasses import dataclass

from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.errors import SwitchoverRefused
from inventory_replication.provisioning.admin import ClusterAdmin
from inventory_replication.provisioning.apply import Notify, apply_steps
from inventory_replication.provisioning.plan.findings import Finding, StepFailed
from inventory_replication.provisioning.plan.planner import Plan, make_plan, record_of
from inventory_replication.provisioning.plan.roles import States, newest_record, writable_servers
from inventory_replication.provisioning.plan.server_state import ServerState
from inventory_replication.provisioning.plan.steps import (
    Follow,
    ForgetSource,
    RecordSource,
    SetReadOnly,
    StartReplica,
    Step,
)
from inventory_replication.provisioning.server_admin import AdminError, ServerAdmin
from inventory_replication.provisioning.verify import check_health, verify_until_settled

UNFINISHED = frozenset({"source_read_only", "replica_stopped"})
"""Codes of the steps that an interrupted switchover leaves behind before its target accepts writes."""


@dataclass(frozen=True, slots=True)
class SwitchoverResult:
    """The result of a run.

    Args:
        former: Name of the source before; the target itself if it was the source already.
        source: Name of the source now.
        steps: What was done.
        findings: Deviations that remain; empty if all is well.
    """

    former: str
    source: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


def switchover(admin: ClusterAdmin, target: str, *, timeout: float, wait: float, notify: Notify) -> SwitchoverResult:
    """Make a replica the source and the source a replica.

    Args:
        admin: Of all servers.
        target: Name of the replica.
        timeout: Seconds that it may take to catch up; writes pause for about this long at most.
        wait: Seconds for servers to answer, and at the end for replicas to connect.
        notify: Called with each step before it is applied.

    Raises:
        ConfigurationError: There is no server of that name.
        ChecksFailed: A check failed; nothing was changed.
        SwitchoverRefused: The target cannot become the source, or did not catch up in time. The source is unchanged.
        StepFailed: A step after the point of no return failed; the same command completes it.
    """
    admin.desired.require(target)
    done: list[Step] = []

    def carried_out(step: Step) -> None:
        notify(step)
        done.append(step)

    admin.lock(wait)
    states = admin.gather(wait)
    plan = make_plan(states, admin.desired)
    former = plan.source
    if former == target:
        apply_steps(admin, plan.steps, wait=wait, notify=carried_out)
    else:
        _require_healthy(states, plan, target, admin)
        record = record_of(states[target], states, admin.desired)
        _hand_over(admin, states[former], states[target], record, timeout, carried_out)
        others = sorted(states.keys() - {target}, key=lambda name: (name != former, name))
        why = f"{target} is the source now"
        last = ForgetSource(target, "leftover_channel", "it is the source now")
        steps: list[Step] = [Follow(name, "not_a_replica", why, target) for name in others]
        apply_steps(admin, [*steps, last], wait=wait, notify=carried_out)
    return SwitchoverResult(former, target, tuple(done), verify_until_settled(admin, wait=wait, catch_up=True))


def _require_healthy(states: States, plan: Plan, target: str, admin: ClusterAdmin) -> None:
    """Refuse to start unless all is well, except for what an interrupted switchover leaves behind."""
    label = states[target].label
    if plan.roles.follows[target] != plan.source:
        raise SwitchoverRefused(f"{label} does not follow {plan.source}: run `inventory-replication provision` first.")
    interrupted = not states[plan.source].facts.writable
    faults = [step for step in plan.steps if not (interrupted and step.code in UNFINISHED)]
    if faults:
        raise SwitchoverRefused(
            f"{faults[0].server} is not in order ({faults[0].why}): run `inventory-replication provision` first. "
            "Nothing was changed."
        )
    unhealthy = [
        found for found in check_health(states, plan.roles, admin.desired) if found.code in {"receiver", "applier"}
    ]
    if unhealthy and not interrupted:
        raise SwitchoverRefused(f"{unhealthy[0]} Nothing was changed.")


def _hand_over(
    admin: ClusterAdmin, former: ServerState, target: ServerState, record: SourceRecord, timeout: float, notify: Notify
) -> None:
    """Do everything up to the moment when the target accepts writes."""
    source, promoted = admin.server(former.name), admin.server(target.name)
    refuses_writes = interrupted = not former.facts.writable
    try:
        if interrupted:
            apply_steps(
                admin, [StartReplica(target.name, "replica_stopped", "a run was interrupted")], wait=0, notify=notify
            )
        _catch_up(promoted, source, timeout)
        notify(SetReadOnly(former.name, "writable_replica", "it is to be a replica", on=True))
        refuses_writes = True
        source.refuse_writes()
        _catch_up(promoted, source, timeout)
        promoted.stop_replica()
        recorded = RecordSource(target.name, "source_record", "it has everything and is to be the source", record)
        notify(recorded)
        notify(SetReadOnly(target.name, "source_read_only", "it has everything and is to be the source", on=False))
    except BaseException as failure:
        if refuses_writes:
            _roll_back(source, promoted, failure)
        if isinstance(failure, AdminError | StepFailed):
            raise SwitchoverRefused(f"{failure}. {former.name} is the source as before.") from failure
        raise
    try:
        admin.remember(record)
        promoted.record_source(record)
        promoted.take_writes()
    except AdminError as failure:
        message = f"{target.label} may or may not take writes now: {failure}. No other server does."
        raise StepFailed(f"{message} Run the same command again.", server=target.name) from failure


def _catch_up(promoted: ServerAdmin, source: ServerAdmin, timeout: float) -> None:
    """Wait until the target has everything that the source has now."""
    missing = promoted.count_missing(source.executed(), timeout)
    if missing:
        raise SwitchoverRefused(
            f"{promoted.server.name} ({promoted.server.address}) did not catch up with {source.server.name} within {timeout:g} s; "
            f"{missing} transactions are missing. {source.server.name} is the source as before. "
            "Check `inventory-replication status`, or increase --timeout."
        )


def _roll_back(source: ServerAdmin, promoted: ServerAdmin, reason: BaseException) -> None:
    """Make the old source writable again, and the target follow it."""
    try:
        source.take_writes()
    except AdminError as failure:
        message = (
            f"The switchover failed ({reason}), and {source.server.name} could not be made writable again: {failure}."
        )
        raise StepFailed(f"{message} Run `inventory-replication provision`.", server=source.server.name) from reason
    with suppress(AdminError):
        promoted.start_replica()


_UNCHANGED = "Nothing was changed."


def failover(
    admin: ClusterAdmin, target: str, *, lost: frozenset[str], wait: float, notify: Notify
) -> SwitchoverResult:
    """Make a replica the source although the source does not answer.

    What the source had confirmed and no server has received is lost.

    Args:
        admin: Of all servers; afterwards of those that answer.
        target: Name of the replica. It must have everything that any other server that answers has.
        lost: Names of the lost servers; each one that does not answer must be among them.
        wait: Seconds for servers to answer, for the replica to apply what it has received, and for others to follow it.
        notify: Called with each step before it is applied.

    Raises:
        ConfigurationError: There is no server of one of these names.
        ChecksFailed: No server answers, or another run is active; nothing was changed.
        SwitchoverRefused: The source answers, a server is away that was not given up, or another replica has more; nothing was
            changed.
        StepFailed: A step failed after the record was written; the same command, or provisioning, completes it.
    """
    for name in {target} | lost:
        admin.desired.require(name)
    silent = {finding.server for finding in admin.exclude_silent(wait)}
    if silent != lost or target in silent:
        away, there = ", ".join(sorted(silent - lost)), ", ".join(sorted(lost - silent))
        why = (
            f"{away} is away and was not given up with --lost."
            if away
            else f"{there} answers and was given up with --lost."
        )
        raise SwitchoverRefused(f"{why} {_UNCHANGED}")
    admin.lock(wait)
    states = admin.gather()
    _require_lost_source(states, admin)
    done: list[Step] = []

    def carried_out(step: Step) -> None:
        notify(step)
        done.append(step)

    record = record_of(states[target], states, admin.desired)
    _require_most_advanced(admin, states, target, wait)
    _promote(admin, states[target], record, carried_out)
    others = sorted(states.keys() - {target})
    follow = [Follow(name, "not_a_replica", f"{target} is the source now", target) for name in others]
    apply_steps(admin, follow, wait=wait, notify=carried_out)
    former = ", ".join(sorted(lost))
    return SwitchoverResult(former, target, tuple(done), verify_until_settled(admin, wait=wait, catch_up=True))


def _require_lost_source(states: States, admin: ClusterAdmin) -> None:
    record = newest_record(states, admin.desired)
    writable = writable_servers(states, record)
    on_record = [name for name, state in states.items() if record and state.facts.server_uuid == record.server_uuid]
    for name in (*writable, *on_record):
        cure = "open it again with `inventory-replication provision`, or use `inventory-replication switchover`"
        raise SwitchoverRefused(f"{states[name].label} is the source and answers: {cure}. {_UNCHANGED}")


def _require_most_advanced(admin: ClusterAdmin, states: States, target: str, wait: float) -> None:
    """Wait until every server has applied what it received, and refuse if another one has more than the target."""
    for name in states:
        admin.server(name).stop_receiver()
    try:
        for name in states:
            _apply_received(admin.server(name), wait)
        for name in states:
            _require_everything_of(admin.server(target), admin.server(name))
    except BaseException:
        for name in states:
            admin.server(name).start_replica()
        raise


def _require_everything_of(target: ServerAdmin, other: ServerAdmin) -> None:
    missing = target.executed().count_missing(other.executed())
    if missing:
        label = f"{target.server.name} ({target.server.address})"
        better = f"{missing} transactions that {other.server.name} has: choose {other.server.name}"
        raise SwitchoverRefused(f"{label} lacks {better}. {_UNCHANGED}")


def _apply_received(member: ServerAdmin, wait: float) -> None:
    missing = member.count_missing(member.received(), wait)
    if missing:
        what = f"{member.server.name} ({member.server.address}) has not applied {missing} transactions that it received"
        raise SwitchoverRefused(f"{what}: check `inventory-replication status`, or increase --wait. {_UNCHANGED}")


def _promote(admin: ClusterAdmin, target: ServerState, record: SourceRecord, notify: Notify) -> None:
    promoted = admin.server(target.name)
    why = "it takes the place of the lost source"
    try:
        notify(RecordSource(target.name, "source_record", why, record))
        admin.remember(record)
        promoted.stop_replica()
        promoted.record_source(record)
        notify(ForgetSource(target.name, "leftover_channel", why))
        promoted.forget_source()
        notify(SetReadOnly(target.name, "source_read_only", why, on=False))
        promoted.take_writes()
    except AdminError as failure:
        message = f"{target.label} could not be made the source: {failure}. Run the same command again."
        raise StepFailed(message, server=target.name) from failure
