"""Provisioning without unhealthy replicas: they are skipped with a warning if the source is unambiguous.

The source is unambiguous if, of the servers that answer, it alone accepts writes, or none does and this command remembers it as
the source; and if it holds tables. So the first start of new servers, and a dead source, still need every server.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory_replication.provisioning.admin import STRAGGLER_TIMEOUT_SECONDS, ClusterAdmin
from inventory_replication.provisioning.apply import Notify, ProvisioningResult, apply_steps
from inventory_replication.provisioning.desired_state import DesiredState
from inventory_replication.provisioning.findings import ChecksFailed, Finding, StepFailed
from inventory_replication.provisioning.plan import Plan, make_plan
from inventory_replication.provisioning.roles import States, newest_record, writable_servers
from inventory_replication.provisioning.steps import SetReadOnly, Step
from inventory_replication.provisioning.verify import verify_until_settled


@dataclass(slots=True)
class _ExcludedServers:
    """Servers that are skipped, and why."""

    admin: ClusterAdmin
    findings: list[Finding] = field(default_factory=list)

    def put(self, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        self.findings += found
        self.admin.exclude(finding.server for finding in found)


def provision_partial(admin: ClusterAdmin, *, wait: float, notify: Notify) -> ProvisioningResult:
    """Plan, apply and verify without the unhealthy replicas.

    Args:
        admin: Of all servers; afterwards of the healthy ones.
        wait: Seconds for servers to start, and for changes to take effect.
        notify: Called with each step before it is applied.

    Raises:
        ChecksFailed: A check failed that does not concern replicas alone; no server was changed.
        StepFailed: A step failed on the source, or a writable server could not be made read-only.
    """
    excluded = _ExcludedServers(admin, list(admin.exclude_silent(wait)))
    admin.lock(wait)
    states = admin.gather()
    if excluded.findings and find_certain_source(states, admin.desired) is None:
        raise ChecksFailed(tuple(excluded.findings))
    plan = _plan(states, excluded)
    done = _apply_step(plan, excluded, wait, notify)
    admin.remember(plan.record)
    timeout = wait if done else min(wait, STRAGGLER_TIMEOUT_SECONDS)
    found = verify_until_settled(admin, wait=timeout, catch_up=bool(done))
    unhealthy = tuple(finding for finding in found if finding.server == plan.source)
    warnings = (*excluded.findings, *(finding for finding in found if finding not in unhealthy))
    return ProvisioningResult(Plan(plan.roles, plan.record, tuple(done)), unhealthy, warnings)


def find_certain_source(states: States, desired: DesiredState) -> str | None:
    """Return the source if it holds tables and alone is writable, or is remembered while none is; else ``None``."""
    record = newest_record(states, desired)
    names = writable_servers(states, record) or [
        name
        for name, state in states.items()
        if record
        and record == desired.remembered == state.facts.record
        and record.server_uuid == state.facts.server_uuid
    ]
    return names[0] if len(names) == 1 and states[names[0]].objects else None


def _plan(states: States, excluded: _ExcludedServers) -> Plan:
    source = find_certain_source(states, excluded.admin.desired)
    while True:
        present = {name: state for name, state in states.items() if name in excluded.admin.names}
        try:
            return make_plan(present, excluded.admin.desired)
        except ChecksFailed as refusal:
            # A server to rebuild was named by the operator, who must be informed.
            guilty = {finding.server for finding in refusal.findings}
            if source is None or source in guilty or guilty & excluded.admin.desired.rebuild:
                raise
            excluded.put(refusal.findings)


def _apply_step(plan: Plan, excluded: _ExcludedServers, wait: float, notify: Notify) -> list[Step]:
    done: list[Step] = []
    for step in plan.steps:
        if step.server not in excluded.admin.names:
            continue
        try:
            apply_steps(excluded.admin, [step], wait=wait, notify=notify)
        except StepFailed as failure:
            if step.server == plan.source or isinstance(step, SetReadOnly):
                raise
            excluded.put([Finding("failed_step", step.server, str(failure), "")])
        else:
            done.append(step)
    return done
