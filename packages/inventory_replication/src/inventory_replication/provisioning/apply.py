"""Applies a plan, step by step."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inventory_replication.provisioning import steps as s
from inventory_replication.provisioning.admin import POLL_SECONDS, ClusterAdmin
from inventory_replication.provisioning.desired_state import Right
from inventory_replication.provisioning.findings import Finding, StepFailed
from inventory_replication.provisioning.plan import Plan, make_plan
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
            message = f"It was not possible to {step.does} on {step.server}: {failure}."
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
                f"{server.server.name} ({server.server.address}) has its copy and went down to restart with it, but is not "
                "up again. Start it, then run the same command again.",
                server=server.server.name,
            )
