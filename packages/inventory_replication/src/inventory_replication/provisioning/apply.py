"""Carries a plan out, step by step."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inventory_replication.provisioning import steps as s
from inventory_replication.provisioning.admin import POLL, Crew
from inventory_replication.provisioning.desired_state import Right
from inventory_replication.provisioning.findings import Finding, StepFailed
from inventory_replication.provisioning.plan import Plan, make_plan
from inventory_replication.provisioning.server_admin import AdministrationFailed, Administrator, LockLost
from inventory_replication.provisioning.verify import settle

Say = Callable[[s.Step], None]


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a run did.

    Args:
        plan: What was planned and carried out; without steps nothing had to be done.
        findings: What is not as it should be after it; empty: all is well.
        warnings: What is not as it should be with replicas, where the source suffices.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()


def provision(crew: Crew, *, wait: float, say: Say) -> Provisioned:
    """Plan, apply, verify. Repeatable: a second run finds nothing to do.

    Args:
        crew: Of all servers.
        wait: Seconds for servers to start, and again for replicas to connect and to catch up.
        say: Is told each step before it is carried out.

    Raises:
        Refused: Something speaks against it; no server was changed.
        StepFailed: A step failed; those before it are done.
    """
    crew.lock(wait)
    plan = make_plan(crew.gather(wait), crew.wanted)
    carry_out(crew, plan.steps, wait=wait, say=say)
    crew.remember(plan.record)
    return Provisioned(plan, settle(crew, wait=wait, catch_up=bool(plan.steps)))


def carry_out(crew: Crew, steps: Iterable[s.Step], *, wait: float, say: Say) -> None:
    """Carry out steps in order.

    Raises:
        StepFailed: One failed; those before it are done.
    """
    for step in steps:
        say(step)
        try:
            _carry_out(crew, step, wait)
        except AdministrationFailed as failure:
            message = f"It was not possible to {step.does} on {step.server}: {failure}."
            again = "The steps before are done. Mend the cause and run the same command again."
            raise StepFailed(f"{message} {again}", server=step.server) from failure


def _carry_out(crew: Crew, step: s.Step, wait: float) -> None:
    member = crew.member(step.server)
    match step:
        case s.CreateSchema(schema=schema):
            member.create_schema(schema)
        case s.CreateAccount(account=account, tls=tls):
            member.create_account(account, tls=tls)
        case s.SecureAccount(account=account, tls=tls):
            member.secure_account(account, tls=tls)
        case s.GrantRights(user=user, rights=rights):
            _for_each_place(rights, lambda names, schema, table: member.grant(user, names, schema, table))
        case s.RevokeRights(user=user, rights=rights):
            _for_each_place(rights, lambda names, schema, table: member.revoke(user, names, schema, table))
        case s.RecordSource(record=record):
            crew.remember(record)
            member.record_source(record)
        case _:
            _carry_out_on_server(crew, member, step, wait)


def _carry_out_on_server(crew: Crew, member: Administrator, step: s.Step, wait: float) -> None:
    match step:
        case s.SetReadOnly(on=on):
            member.refuse_writes() if on else member.take_writes()
        case s.RefuseWritesAtStart():
            member.refuse_writes_at_start()
        case s.PersistSetting(variable=variable, value=value, now=now):
            member.persist(variable, value, now=now)
        case s.EmptyNewServer(schemas=schemas):
            member.drop_empty_schemas(schemas)
            member.forget_history()
        case s.InstallClone():
            member.load_clone_plugin()
        case s.Clone(donor=donor):
            member.clone_from(*crew.wanted.peer(donor), crew.admin, tls=crew.wanted.tls)
            _wait_for_restart(member, wait)
        case s.Follow(source=source):
            wanted = crew.wanted
            member.follow(
                *wanted.peer(source),
                wanted.replication(),
                tls=wanted.tls,
                ca_file=wanted.source_ca,
                verify_host=wanted.source_verify_host,
            )
        case s.StartReplica():
            member.start_replica()
        case s.ForgetSource():
            member.forget_source()
        case _:
            raise TypeError(f"nobody knows how to carry out {type(step).__name__}")


def _for_each_place(rights: frozenset[Right], change: Callable[[list[str], str, str], None]) -> None:
    for schema, table in sorted({(right.schema, right.table) for right in rights}):
        change(
            sorted(right.privilege for right in rights if (right.schema, right.table) == (schema, table)), schema, table
        )


def _wait_for_restart(member: Administrator, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        time.sleep(POLL)
        try:
            if member.value("SELECT STATE FROM performance_schema.clone_status") == "Completed":
                return
        except LockLost:
            raise
        except AdministrationFailed:
            pass
        if time.monotonic() >= until:
            raise StepFailed(
                f"{member.server.name} ({member.server.address}) has its copy and went down to restart with it, but is not "
                "up again. Start it, then run the same command again.",
                server=member.server.name,
            )
