"""What each subcommand answers: a word whether all is well, lines for people, data for programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory_replication.errors import ConfigurationError
from inventory_replication.provisioning import apply, status_report
from inventory_replication.provisioning import switchover as changes
from inventory_replication.provisioning import verify as checking
from inventory_replication.provisioning.admin import Crew
from inventory_replication.provisioning.certificates import issue_certificates
from inventory_replication.provisioning.desired_state import Role
from inventory_replication.provisioning.findings import Finding, blocking
from inventory_replication.provisioning.guard import Guard
from inventory_replication.provisioning.partial import provision_source
from inventory_replication.provisioning.plan import make_plan
from inventory_replication.provisioning.settings import Settings
from inventory_replication.provisioning.steps import Step

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a subcommand.

    Args:
        good: Done, or healthy; else the answer is no.
        lines: For people.
        data: For programs, ready for JSON.
    """

    good: bool
    lines: tuple[str, ...]
    data: dict[str, Any]


def status(settings: Settings, *, watch: float) -> Answer:
    """Who is the source, and how far the replicas are; asked with the monitor's account if its password is given."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    account = settings.account(Role.MONITOR) or settings.required("admin")
    found = status_report.look(settings.servers, account, settings.tls, watch=watch)
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
    return Answer(found.healthy, tuple(lines), {"ok": found.healthy, **found.as_json()})


def verify(settings: Settings, *, rows: bool) -> Answer:
    """Every deviation from the wanted state, and with ``rows`` of the replicas' content from the source's; changes nothing."""
    with _crew(settings) as crew:
        findings = checking.verify(crew, wait=settings.wait, rows=rows)
    return Answer(not findings, _lines(findings) or ("all is as it should be",), _data(findings))


def provision(settings: Settings, *, rebuild: frozenset[str], dry_run: bool, source_suffices: bool, say: Say) -> Answer:
    """Plan, apply, verify; or the plan alone."""
    with _crew(settings, rebuild) as crew:
        if dry_run:
            plan = make_plan(crew.gather(settings.wait), crew.wanted)
            lines = (f"{plan.source} is the source: {plan.roles.reason}", *_told(plan.steps))
            return Answer(good=True, lines=lines, data={"ok": True, "source": plan.source, "steps": _steps(plan.steps)})
        run = provision_source if source_suffices else apply.provision
        done = run(crew, wait=settings.wait, say=lambda step: say(str(step)))
    last = () if done.plan.steps else _told(())
    faults = blocking(done.findings)
    warnings = (*done.warnings, *(finding for finding in done.findings if finding not in faults))
    data = {**_data(faults, warnings), "source": done.plan.source, "steps": _steps(done.plan.steps)}
    lines = (*last, f"{done.plan.source} is the source", *_lines(faults), *_warned(warnings))
    return Answer(not faults, lines, data)


def certificates(settings: Settings, *, authority: Path, folder: Path) -> Answer:
    """Issue the servers' certificates; connects to none of them."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    written = issue_certificates(authority, folder, settings.hosts())
    lines = tuple(f"written: {file}" for file in written) or ("nothing to do",)
    return Answer(good=True, lines=lines, data={"ok": True, "written": list(written)})


def guard(settings: Settings, *, interval: float, once: bool, say: Say) -> Answer:
    """Open the recorded source again after each restart; returns only if it is to check once."""
    if not settings.servers:
        raise ConfigurationError("There is no server: name each one as name=host:port.")
    said: list[str] = []
    with Guard(settings, said.append if once else say) as guarding:
        if not once:
            guarding.run(interval)
        well = guarding.check()
    return Answer(well, tuple(said), {"ok": well, "reason": said[-1] if said else ""})


def switchover(settings: Settings, target: str, *, timeout: float, say: Say) -> Answer:
    """Make a replica the source, and the source a replica."""
    with _crew(settings) as crew:
        done = changes.switchover(crew, target, timeout=timeout, wait=settings.wait, say=lambda step: say(str(step)))
    last = () if done.steps else _told(())
    faults = blocking(done.findings)
    warnings = tuple(finding for finding in done.findings if finding not in faults)
    told = {"source": done.source, "former": done.former, "steps": _steps(done.steps)}
    lines = (*last, f"{done.source} is the source", *_lines(faults), *_warned(warnings))
    return Answer(not faults, lines, {**_data(faults, warnings), **told})


def failover(settings: Settings, target: str, *, lost: frozenset[str], say: Say) -> Answer:
    """Make a replica the source in place of one that was given up."""
    with _crew(settings) as crew:
        done = changes.failover(crew, target, lost=lost, wait=settings.wait, say=lambda step: say(str(step)))
    faults = blocking(done.findings)
    warnings = tuple(finding for finding in done.findings if finding not in faults)
    told = {"source": done.source, "former": done.former, "steps": _steps(done.steps)}
    lines = (f"{done.source} is the source", *_lines(faults), *_warned(warnings))
    return Answer(not faults, lines, {**_data(faults, warnings), **told})


def _crew(settings: Settings, rebuild: frozenset[str] = frozenset()) -> Crew:
    return Crew(settings.wanted(rebuild), settings.required("admin"), settings.tls, settings.memory())


def _told(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(map(str, steps)) or ("nothing to do",)


def _steps(steps: Iterable[Step]) -> list[dict[str, str]]:
    return [step.as_json() for step in steps]


def _lines(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(map(str, findings))


def _warned(warnings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f"warning: {finding}" for finding in warnings)


def _data(findings: tuple[Finding, ...], warnings: tuple[Finding, ...] = ()) -> dict[str, Any]:
    told = {"warnings": [finding.as_json() for finding in warnings]} if warnings else {}
    return {"ok": not findings, "findings": [finding.as_json() for finding in findings], **told}
