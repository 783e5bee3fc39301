"""Runs each subcommand and formats its result: a success flag, lines for people, data for programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory_replication.errors import ConfigurationError
from inventory_replication.provisioning import apply, status_report
from inventory_replication.provisioning import switchover as changes
from inventory_replication.provisioning import verify as checking
from inventory_replication.provisioning.admin import ClusterAdmin
from inventory_replication.provisioning.apply import provision_partial
from inventory_replication.provisioning.certificates import issue_certificates
from inventory_replication.provisioning.guard import Guard
from inventory_replication.provisioning.plan.desired_state import Role
from inventory_replication.provisioning.plan.findings import Finding, blocking
from inventory_replication.provisioning.plan.planner import make_plan
from inventory_replication.provisioning.plan.steps import Step
from inventory_replication.provisioning.settings import Settings

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a subcommand.

    Args:
        good: Done, or healthy.
        lines: For people.
        data: For programs, ready for JSON.
    """

    good: bool
    lines: tuple[str, ...]
    data: dict[str, Any]


def status(settings: Settings, *, watch: float) -> CommandResult:
    """Report the source and the positions of the replicas, with the monitor's account if its password is given."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    account = settings.account(Role.MONITOR) or settings.required("admin")
    found = status_report.observe_cluster(settings.servers, account, settings.tls, watch=watch)
    lines = [f"{found.mode}: {found.reason}"]
    for server in found.servers:
        behind = "" if server.transactions_behind is None else f", {server.transactions_behind} transactions behind"
        proved = (
            "staleness not proved"
            if server.staleness_seconds is None
            else f"stale by at most {server.staleness_seconds} s"
        )
        shown = f" ({proved}{behind})" if server.transactions_behind is not None else ""
        lines.append(f"{server.name} {server.address} {server.state}{shown}: {server.reason}")
    return CommandResult(found.healthy, tuple(lines), {"ok": found.healthy, **found.as_json()})


def verify(settings: Settings, *, rows: bool) -> CommandResult:
    """Report every deviation from the desired state, with ``rows`` also of the replicas' rows; changes nothing."""
    with _cluster_admin(settings) as admin:
        findings = checking.verify(admin, wait=settings.wait, rows=rows)
    return CommandResult(not findings, _lines(findings) or ("no deviations found",), _data(findings))


def provision(
    settings: Settings, *, rebuild: frozenset[str], dry_run: bool, allow_degraded: bool, notify: Notify
) -> CommandResult:
    """Plan, apply and verify; or only plan."""
    with _cluster_admin(settings, rebuild) as admin:
        if dry_run:
            plan = make_plan(admin.gather(settings.wait), admin.desired)
            lines = (f"{plan.source} is the source: {plan.roles.reason}", *_step_lines(plan.steps))
            return CommandResult(
                good=True, lines=lines, data={"ok": True, "source": plan.source, "steps": _steps(plan.steps)}
            )
        run = provision_partial if allow_degraded else apply.provision
        done = run(admin, wait=settings.wait, notify=lambda step: notify(str(step)))
    last = () if done.plan.steps else _step_lines(())
    faults = blocking(done.findings)
    warnings = (*done.warnings, *(finding for finding in done.findings if finding not in faults))
    data = {**_data(faults, warnings), "source": done.plan.source, "steps": _steps(done.plan.steps)}
    lines = (*last, f"{done.plan.source} is the source", *_lines(faults), *_warning_lines(warnings))
    return CommandResult(not faults, lines, data)


def certificates(settings: Settings, *, authority: Path, folder: Path) -> CommandResult:
    """Issue the servers' certificates; connects to none of them."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    written = issue_certificates(authority, folder, settings.hosts())
    lines = tuple(f"written: {file}" for file in written) or ("nothing to do",)
    return CommandResult(good=True, lines=lines, data={"ok": True, "written": list(written)})


def guard(settings: Settings, *, interval: float, once: bool, notify: Notify) -> CommandResult:
    """Reopen the recorded source after each restart; returns only with ``once``."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    said: list[str] = []
    with Guard(settings, said.append if once else notify) as guarding:
        if not once:
            guarding.run(interval)
        healthy = guarding.check()
    return CommandResult(healthy, tuple(said), {"ok": healthy, "reason": said[-1] if said else ""})


def switchover(settings: Settings, target: str, *, timeout: float, notify: Notify) -> CommandResult:
    """Make a replica the source, and the source a replica."""
    with _cluster_admin(settings) as admin:
        done = changes.switchover(
            admin, target, timeout=timeout, wait=settings.wait, notify=lambda step: notify(str(step))
        )
    last = () if done.steps else _step_lines(())
    faults = blocking(done.findings)
    warnings = tuple(finding for finding in done.findings if finding not in faults)
    shown = {"source": done.source, "former": done.former, "steps": _steps(done.steps)}
    lines = (*last, f"{done.source} is the source", *_lines(faults), *_warning_lines(warnings))
    return CommandResult(not faults, lines, {**_data(faults, warnings), **shown})


def failover(settings: Settings, target: str, *, lost: frozenset[str], notify: Notify) -> CommandResult:
    """Make a replica the source in place of a lost one."""
    with _cluster_admin(settings) as admin:
        done = changes.failover(admin, target, lost=lost, wait=settings.wait, notify=lambda step: notify(str(step)))
    faults = blocking(done.findings)
    warnings = tuple(finding for finding in done.findings if finding not in faults)
    shown = {"source": done.source, "former": done.former, "steps": _steps(done.steps)}
    lines = (f"{done.source} is the source", *_lines(faults), *_warning_lines(warnings))
    return CommandResult(not faults, lines, {**_data(faults, warnings), **shown})


def _cluster_admin(settings: Settings, rebuild: frozenset[str] = frozenset()) -> ClusterAdmin:
    return ClusterAdmin(settings.desired_state(rebuild), settings.required("admin"), settings.tls, settings.memory())


def _step_lines(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(map(str, steps)) or ("nothing to do",)


def _steps(steps: Iterable[Step]) -> list[dict[str, str]]:
    return [step.as_json() for step in steps]


def _lines(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(map(str, findings))


def _warning_lines(warnings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f"warning: {finding}" for finding in warnings)


def _data(findings: tuple[Finding, ...], warnings: tuple[Finding, ...] = ()) -> dict[str, Any]:
    shown = {"warnings": [finding.as_json() for finding in warnings]} if warnings else {}
    return {"ok": not findings, "findings": [finding.as_json() for finding in findings], **shown}
