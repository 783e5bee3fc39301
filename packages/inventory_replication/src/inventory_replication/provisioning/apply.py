"""Applies a plan, step by step: to all servers, or to those without the unhealthy replicas."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from inventory_replication.provisioning.admin import POLL_SECONDS, STRAGGLER_TIMEOUT_SECONDS, ClusterAdmin
from inventory_replication.provisioning.plan import steps as s
from inventory_replication.provisioning.plan.desired_state import DesiredState, Right
from inventory_replication.provisioning.plan.findings import ChecksFailed, Finding, StepFailed
from inventory_replication.provisioning.plan.planner import Plan, make_plan
from inventory_replication.provisioning.plan.roles import States, newest_record, writable_servers
from inventory_replication.provisioning.server_admin import AdminError, LockLost, ServerAdmin
from inventory_replication.provisioning.verify import verify_until_settled

Notify = Callable[[s.Step], None]


@dataclass(frozen=True, slots=True)
class ProvisioningResult:
    """The result of a run.

    Args:
        plan: The plan, which was applied; without steps there was nothing to do.
        findings: Deviations that remain; empty if all is well.
        warnings: Deviations of replicas that were tolerated.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()


def provision(admin: ClusterAdmin, *, wait: float, notify: Notify) -> ProvisioningResult:
    """Plan, apply and verify. Idempotent: a second run finds nothing to do.

    Args:
        admin: Of all servers.
        wait: Seconds for servers to start, and again for replicas to connect and to catch up.
        notify: Called with each step before it is applied.

    Raises:
        ChecksFailed: A check failed; no server was changed.
        StepFailed: A step failed; the earlier ones are done.
    """
    admin.lock(wait)
    plan = make_plan(admin.gather(wait), admin.desired)
    apply_steps(admin, plan.steps, wait=wait, notify=notify)
    admin.remember(plan.record)
    return ProvisioningResult(plan, verify_until_settled(admin, wait=wait, catch_up=bool(plan.steps)))


def apply_steps(admin: ClusterAdmin, steps: Iterable[s.Step], *, wait: float, notify: Notify) -> None:
    """Apply steps in order.

    Raises:
        StepFailed: A step failed; the earlier ones are done.
    """
    for step in steps:
        notify(step)
        try:
            _apply_step(admin, step, wait)
        except AdminError as failure:
            message = f"Could not {step.does} on {step.server}: {failure}."
            again = "The steps before are done. Fix the cause and run the same command again."
            raise StepFailed(f"{message} {again}", server=step.server) from failure


def _apply_step(admin: ClusterAdmin, step: s.Step, wait: float) -> None:
    server = admin.server(step.server)
    match step:
        case s.CreateSchema(schema=schema):
            server.create_schema(schema)
        case s.CreateAccount(account=account, tls=tls):
            server.create_account(account, tls=tls)
        case s.SecureAccount(account=account, tls=tls):
            server.secure_account(account, tls=tls)
        case s.GrantRights(user=user, rights=rights):
            _for_each_place(rights, lambda names, schema, table: server.grant(user, names, schema, table))
        case s.RevokeRights(user=user, rights=rights):
            _for_each_place(rights, lambda names, schema, table: server.revoke(user, names, schema, table))
        case s.RecordSource(record=record):
            admin.remember(record)
            server.record_source(record)
        case _:
            _apply_server_step(admin, server, step, wait)


def _apply_server_step(admin: ClusterAdmin, server: ServerAdmin, step: s.Step, wait: float) -> None:
    match step:
        case s.SetReadOnly(on=on):
            server.refuse_writes() if on else server.take_writes()
        case s.RefuseWritesAtStart():
            server.refuse_writes_at_start()
        case s.PersistSetting(variable=variable, value=value, now=now):
            server.persist(variable, value, now=now)
        case s.EmptyNewServer(schemas=schemas):
            server.drop_empty_schemas(schemas)
            server.forget_history()
        case s.InstallClone():
            server.load_clone_plugin()
        case s.Clone(donor=donor):
            server.clone_from(*admin.desired.peer(donor), admin.account, tls=admin.desired.tls)
            _wait_for_restart(server, wait)
        case s.Follow(source=source):
            desired = admin.desired
            server.follow(
                *desired.peer(source),
                desired.replication(),
                tls=desired.tls,
                ca_file=desired.source_ca,
                verify_host=desired.source_verify_host,
            )
        case s.StartReplica():
            server.start_replica()
        case s.ForgetSource():
            server.forget_source()
        case _:
            raise TypeError(f"no implementation of step {type(step).__name__}")


def _for_each_place(rights: frozenset[Right], change: Callable[[list[str], str, str], None]) -> None:
    for schema, table in sorted({(right.schema, right.table) for right in rights}):
        change(
            sorted(right.privilege for right in rights if (right.schema, right.table) == (schema, table)), schema, table
        )


def _wait_for_restart(server: ServerAdmin, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        time.sleep(POLL_SECONDS)
        try:
            if server.value("SELECT STATE FROM performance_schema.clone_status") == "Completed":
                return
        except LockLost:
            raise
        except AdminError:
            pass
        if time.monotonic() >= until:
            raise StepFailed(
                f"{server.server.name} ({server.server.address}) has its copy and shut down to restart with it, but is not "
                "up again. Start it, then run the same command again.",
                server=server.server.name,
            )


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
    """Plan, apply and verify without the unhealthy replicas, which are skipped with a warning if the source is unambiguous.

    The source is unambiguous if it holds tables, and, of the servers that answer, it alone accepts writes, or none does and this
    command remembers it as the source. So the first start of new servers and a dead source still need every server.

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
    done = _apply_remaining(plan, excluded, wait, notify)
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


def _apply_remaining(plan: Plan, excluded: _ExcludedServers, wait: float, notify: Notify) -> list[s.Step]:
    done: list[s.Step] = []
    for step in plan.steps:
        if step.server not in excluded.admin.names:
            continue
        try:
            apply_steps(excluded.admin, [step], wait=wait, notify=notify)
        except StepFailed as failure:
            if step.server == plan.source or isinstance(step, s.SetReadOnly):
                raise
            excluded.put([Finding("failed_step", step.server, str(failure), "")])
        else:
            done.append(step)
    return done
