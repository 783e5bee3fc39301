"""A planned change of the source, under load: nothing acknowledged is lost, and a refusal leaves everything as it was.

The old source refuses writes before the new one takes them, so there are never two. Until the target is on record as the source,
all can be given back, and is. After that the only way is on: the next run of this or of provisioning ends what was interrupted.
"""

from contextlib import suppress
from dataclasses import dataclass

from inventory_replication.decisions.source_record import SourceRecord
from inventory_replication.errors import SwitchoverRefused
from inventory_replication.mysql.administration import AdministrationFailed, Administrator
from inventory_replication.provisioning.apply import Say, carry_out
from inventory_replication.provisioning.crew import Crew
from inventory_replication.provisioning.errors import StepFailed
from inventory_replication.provisioning.facts import ServerState
from inventory_replication.provisioning.findings import Finding
from inventory_replication.provisioning.plan import Plan, make_plan, record_of
from inventory_replication.provisioning.roles import States
from inventory_replication.provisioning.steps import (
    Follow,
    ForgetSource,
    RecordSource,
    SetReadOnly,
    StartReplica,
    Step,
)
from inventory_replication.provisioning.verify import health, settle

UNFINISHED = frozenset({"source_read_only", "replica_stopped"})
"""Codes of the steps that an interrupted switchover leaves behind before its target takes writes."""


@dataclass(frozen=True, slots=True)
class SwitchedOver:
    """What a run did.

    Args:
        former: Name of the source before; the target itself where it was the source already.
        source: Name of the source now.
        steps: What was done.
        findings: What is not as it should be after it; empty: all is well.
    """

    former: str
    source: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


def switchover(crew: Crew, target: str, *, timeout: float, wait: float, say: Say) -> SwitchedOver:
    """Make a replica the source and the source a replica.

    Args:
        crew: Of all servers.
        target: Name of the replica.
        timeout: Seconds that it may take to catch up; about as long writes pause at most.
        wait: Seconds for servers to answer, and at the end for replicas to connect.
        say: Is told each step before it is carried out.

    Raises:
        ConfigurationError: There is no server of that name.
        Refused: The servers are not in order; nothing was changed.
        SwitchoverRefused: The target cannot become the source, or did not catch up in time. The source is what it was.
        StepFailed: A step after the point of no return failed; the same command ends it.
    """
    crew.wanted.require(target)
    done: list[Step] = []

    def carried_out(step: Step) -> None:
        say(step)
        done.append(step)

    crew.lock(wait)
    states = crew.gather(wait)
    plan = make_plan(states, crew.wanted)
    former = plan.source
    if former == target:
        carry_out(crew, plan.steps, wait=wait, say=carried_out)
    else:
        _require_order(states, plan, target, crew)
        record = record_of(states[target], states, crew.wanted)
        _hand_over(crew, states[former], states[target], record, timeout, carried_out)
        others = sorted(states.keys() - {target}, key=lambda name: (name != former, name))
        why = f"{target} is the source now"
        last = ForgetSource(target, "leftover_channel", "it is the source now")
        steps: list[Step] = [Follow(name, "not_a_replica", why, target) for name in others]
        carry_out(crew, [*steps, last], wait=wait, say=carried_out)
    return SwitchedOver(former, target, tuple(done), settle(crew, wait=wait, catch_up=True))


def _require_order(states: States, plan: Plan, target: str, crew: Crew) -> None:
    """Refuse to begin unless all is well, but for what an interrupted switchover leaves behind."""
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
    ill = [found for found in health(states, plan.roles, crew.wanted) if found.code in {"receiver", "applier"}]
    if ill and not interrupted:
        raise SwitchoverRefused(f"{ill[0]} Nothing was changed.")


def _hand_over(
    crew: Crew, former: ServerState, target: ServerState, record: SourceRecord, timeout: float, say: Say
) -> None:
    """Everything up to the moment in which the target takes writes."""
    source, heir = crew.member(former.name), crew.member(target.name)
    refuses_writes = interrupted = not former.facts.writable
    try:
        if interrupted:
            carry_out(crew, [StartReplica(target.name, "replica_stopped", "a run was interrupted")], wait=0, say=say)
        _catch_up(heir, source, timeout)
        say(SetReadOnly(former.name, "writable_replica", "it is to be a replica", on=True))
        refuses_writes = True
        source.refuse_writes()
        _catch_up(heir, source, timeout)
        heir.stop_replica()
        recorded = RecordSource(target.name, "source_record", "it has everything and is to be the source", record)
        say(recorded)
        say(SetReadOnly(target.name, "source_read_only", "it has everything and is to be the source", on=False))
    except BaseException as failure:
        if refuses_writes:
            _give_back(source, heir, failure)
        if isinstance(failure, AdministrationFailed | StepFailed):
            raise SwitchoverRefused(f"{failure}. {former.name} is the source as before.") from failure
        raise
    try:
        crew.remember(record)
        heir.record_source(record)
        heir.take_writes()
    except AdministrationFailed as failure:
        message = f"{target.label} may or may not take writes now: {failure}. No other server does."
        raise StepFailed(f"{message} Run the same command again.", server=target.name) from failure


def _catch_up(heir: Administrator, source: Administrator, timeout: float) -> None:
    """Wait until the target has all that the source has now."""
    missing = heir.lacking_after(source.executed(), timeout)
    if missing:
        raise SwitchoverRefused(
            f"{heir.server.name} ({heir.server.address}) did not get within {timeout:g} s what {source.server.name} has; "
            f"{missing} transactions are missing. {source.server.name} is the source as before. "
            "Look at `inventory-replication status`, or give it more --timeout."
        )


def _give_back(source: Administrator, heir: Administrator, reason: BaseException) -> None:
    """Let the old source take writes again, and the target follow it."""
    try:
        source.take_writes()
    except AdministrationFailed as failure:
        message = (
            f"The switchover failed ({reason}), and {source.server.name} could not be made writable again: {failure}."
        )
        raise StepFailed(f"{message} Run `inventory-replication provision`.", server=source.server.name) from reason
    with suppress(AdministrationFailed):
        heir.start_replica()
