"""Provisioning for which the source suffices: a replica that is not in order is left as it is, with a warning.

The source must be beyond doubt: of the servers that answer it alone takes writes, or none does and this command remembers it as the
source; and it holds tables. So the first start of new servers, and a source that is dead, still need every server.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory_replication.provisioning.admin import STRAGGLER_PATIENCE, Crew
from inventory_replication.provisioning.apply import Provisioned, Say, carry_out
from inventory_replication.provisioning.desired_state import Wanted
from inventory_replication.provisioning.findings import Finding, Refused, StepFailed
from inventory_replication.provisioning.plan import Plan, make_plan
from inventory_replication.provisioning.roles import States, newest_record, writable_servers
from inventory_replication.provisioning.steps import SetReadOnly, Step
from inventory_replication.provisioning.verify import settle


@dataclass(slots=True)
class _Aside:
    """Servers that are left as they are, and why."""

    crew: Crew
    findings: list[Finding] = field(default_factory=list)

    def put(self, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        self.findings += found
        self.crew.leave_out(finding.server for finding in found)


def provision_source(crew: Crew, *, wait: float, say: Say) -> Provisioned:
    """Plan, apply, verify, without the replicas that are not in order.

    Args:
        crew: Of all servers; afterwards of those that are in order.
        wait: Seconds for servers to start, and for what was changed to take effect.
        say: Is told each step before it is carried out.

    Raises:
        Refused: Something speaks against it, and not against replicas alone; no server was changed.
        StepFailed: A step failed on the source, or a server that takes writes could not be kept from it.
    """
    aside = _Aside(crew, list(crew.leave_out_silent(wait)))
    crew.lock(wait)
    states = crew.gather()
    if aside.findings and undoubted_source(states, crew.wanted) is None:
        raise Refused(tuple(aside.findings))
    plan = _plan(states, aside)
    done = _carry_out(plan, aside, wait, say)
    crew.remember(plan.record)
    patience = wait if done else min(wait, STRAGGLER_PATIENCE)
    found = settle(crew, wait=patience, catch_up=bool(done))
    ill = tuple(finding for finding in found if finding.server == plan.source)
    warnings = (*aside.findings, *(finding for finding in found if finding not in ill))
    return Provisioned(Plan(plan.roles, plan.record, tuple(done)), ill, warnings)


def undoubted_source(states: States, wanted: Wanted) -> str | None:
    """Name of the source, if it holds tables and alone takes writes, or is remembered while none does; else ``None``."""
    record = newest_record(states, wanted)
    names = writable_servers(states, record) or [
        name
        for name, state in states.items()
        if record
        and record == wanted.remembered == state.facts.record
        and record.server_uuid == state.facts.server_uuid
    ]
    return names[0] if len(names) == 1 and states[names[0]].objects else None


def _plan(states: States, aside: _Aside) -> Plan:
    source = undoubted_source(states, aside.crew.wanted)
    while True:
        present = {name: state for name, state in states.items() if name in aside.crew.names}
        try:
            return make_plan(present, aside.crew.wanted)
        except Refused as refusal:
            # One that is to be rebuilt was named by a person, who wants to know.
            guilty = {finding.server for finding in refusal.findings}
            if source is None or source in guilty or guilty & aside.crew.wanted.rebuild:
                raise
            aside.put(refusal.findings)


def _carry_out(plan: Plan, aside: _Aside, wait: float, say: Say) -> list[Step]:
    done: list[Step] = []
    for step in plan.steps:
        if step.server not in aside.crew.names:
            continue
        try:
            carry_out(aside.crew, [step], wait=wait, say=say)
        except StepFailed as failure:
            if step.server == plan.source or isinstance(step, SetReadOnly):
                raise
            aside.put([Finding("failed_step", step.server, str(failure), "")])
        else:
            done.append(step)
    return done
