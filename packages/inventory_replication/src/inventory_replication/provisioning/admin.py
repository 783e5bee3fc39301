"""Connections of the administrator to all servers, and what they tell: the only way by which provisioning asks and changes."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from inventory_replication.config import Credentials, MonitorPolicy
from inventory_replication.decisions.snapshot import NoAnswer, SourceRecord
from inventory_replication.mysql.probes import Probe, ServerReport
from inventory_replication.provisioning import admin_queries as questions
from inventory_replication.provisioning.desired_state import Right, Wanted
from inventory_replication.provisioning.findings import Finding, Refused
from inventory_replication.provisioning.server_admin import AdministrationFailed, Administrator, LockLost
from inventory_replication.provisioning.server_state import AccountFacts, ChannelSettings, ServerState
from inventory_replication.provisioning.settings import RecordFile

POLL = 0.5
STRAGGLER_PATIENCE = 15.0
"""Seconds that others are waited for when a source with data is there already and suffices."""
PATIENCE = MonitorPolicy(connect_timeout=3.0, read_timeout=10.0)


class Crew:
    """One administrator per server. Use it as a context: at its end all connections are closed and all locks given back.

    Args:
        wanted: Servers and what they should be.
        admin: Account with which everything is done, the same on all servers.
        tls: One context for all connections; ``None`` connects without TLS.
        memory: File that remembers the source; ``None``: nothing is remembered.
    """

    def __init__(
        self, wanted: Wanted, admin: Credentials, tls: ssl.SSLContext | None, memory: RecordFile | None = None
    ) -> None:
        self.wanted = wanted
        self.admin = admin
        self.tls = tls
        self._memory = memory
        self._closing = ExitStack()
        self._members = {
            server.name: self._closing.enter_context(Administrator(server, admin, tls=tls)) for server in wanted.servers
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def member(self, name: str) -> Administrator:
        """The administrator of that server."""
        return self._members[name]

    @property
    def names(self) -> frozenset[str]:
        """Of the servers that are not left out."""
        return frozenset(self._members)

    def remember(self, record: SourceRecord) -> None:
        """Remember who is the source, unless a newer change is remembered.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        if self._memory:
            self._memory.write(record)

    def leave_out(self, names: Iterable[str]) -> None:
        """Ask and change these servers no more."""
        left = set(names)
        for name in left & self._members.keys():
            self._members.pop(name).close()
        self.wanted = self.wanted.without(left)

    def leave_out_silent(self, wait: float) -> tuple[Finding, ...]:
        """Leave out the servers that do not answer, or not to this account, and tell why each does not; change nothing.

        Args:
            wait: Seconds to wait for all; for what is missing beside a source with data at most `STRAGGLER_PATIENCE`.

        Raises:
            Refused: None of them answers.
        """
        until = time.monotonic() + wait
        with self._probes() as asked:
            answers = {name: probe.ask() for name, probe in asked.items()}
            shortened = False
            while time.monotonic() < until and (silent := _silent(answers)) and not _refusing(answers):
                if not shortened and self._has_source_with_data(answers):
                    until, shortened = min(until, time.monotonic() + STRAGGLER_PATIENCE), True
                time.sleep(POLL)
                answers |= {name: asked[name].ask() for name in silent}
        findings = _unanswered_all(answers)
        if len(findings) == len(answers):
            raise Refused(findings)
        self.leave_out(finding.server for finding in findings)
        return findings

    def lock(self, wait: float = 0.0) -> None:
        """Keep other runs away from all servers until this crew is closed.

        Args:
            wait: Seconds to wait for servers that do not answer yet, and for another run to end.

        Raises:
            Refused: A server does not answer, or another run is at work.
        """
        until = time.monotonic() + wait
        different = {report.facts.server_uuid: name for name, report in self._ask(until).items()}
        for name in different.values():
            member = self._members[name]
            while not _locked(member):
                if time.monotonic() >= until:
                    what = f"{name} ({member.server.address}) is being changed by another run of this command"
                    raise Refused((Finding("busy", name, what, "wait for its end, then run this one again"),))
                time.sleep(POLL)

    def gather(self, wait: float = 0.0) -> Mapping[str, ServerState]:
        """Ask all servers everything; changes nothing.

        Args:
            wait: Seconds to wait for servers that do not answer yet. One that answers but refuses is not waited for.

        Raises:
            Refused: A server does not answer; the error names each of those.
        """
        reports = self._ask(time.monotonic() + wait)
        try:
            self._require_rights()
            states = {name: self._state(name, report) for name, report in reports.items()}
            return {
                name: replace(state, executed_later=self._members[name].executed()) for name, state in states.items()
            }
        except LockLost as lost:
            what, _, cure = lost.answer.why.partition(": ")
            raise Refused((Finding("busy", lost.server, what, cure),)) from lost
        except AdministrationFailed as failure:
            raise Refused((_unanswered(failure.server, failure.answer),)) from failure

    def _ask(self, until: float) -> dict[str, ServerReport]:
        with self._probes() as asked:
            answers = {name: probe.ask() for name, probe in asked.items()}
            while time.monotonic() < until and (silent := _silent(answers)) and not _refusing(answers):
                time.sleep(POLL)
                answers |= {name: asked[name].ask() for name in silent}
        findings = _unanswered_all(answers)
        if findings:
            raise Refused(findings)
        return {name: answer for name, answer in answers.items() if isinstance(answer, ServerReport)}

    @contextmanager
    def _probes(self) -> Iterator[dict[str, Probe]]:
        with ExitStack() as probes:
            yield {
                server.name: probes.enter_context(closing(Probe(server, self.admin, tls=self.tls, policy=PATIENCE)))
                for server in self.wanted.servers
            }

    def _has_source_with_data(self, answers: Mapping[str, ServerReport | NoAnswer]) -> bool:
        facts = {name: answer.facts for name, answer in answers.items() if isinstance(answer, ServerReport)}
        remembered = self.wanted.remembered
        names = [name for name, fact in facts.items() if fact.writable] or [
            name for name, fact in facts.items() if remembered and fact.server_uuid == remembered.server_uuid
        ]
        with suppress(AdministrationFailed):
            return len(names) == 1 and bool(questions.objects(self._members[names[0]]))
        return False

    def _state(self, name: str, report: ServerReport) -> ServerState:
        member = self._members[name]
        settings = questions.settings(member)
        channel = questions.channel(member)
        users = [account.user for account in self.wanted.accounts]
        return ServerState(
            name=name,
            address=member.server.address,
            facts=report.facts,
            version=_version(report.version),
            settings=settings,
            persisted=questions.persisted(member),
            purged=report.purged,
            has_first_log=questions.has_first_log(member),
            objects=questions.objects(member),
            schemas=questions.schemas(member),
            accounts=self._accounts(member),
            other_accounts=questions.other_accounts(member, users),
            channel=ChannelSettings(
                channel[0], channel[1] == "YES", channel[2], str(channel[3]) == "1", channel[4] == "YES"
            )
            if channel
            else None,
            offers_tls=questions.offers_tls(member),
            clone_plugin=questions.clone_plugin(member),
            tracking_fault=member.tracking_fault(),
            clock_ahead=questions.clock_ahead(member),
        )

    def _require_rights(self) -> None:
        findings: list[Finding] = []
        for name, member in self._members.items():
            lacking = questions.lacking_privileges(member)
            if lacking:
                what = f"{name} ({member.server.address}) gives the account {self.admin.user} no {', '.join(lacking)}"
                cure = "grant it on *.*, or give another account to administer the servers"
                findings.append(Finding("admin_rights", name, what, cure))
        if findings:
            raise Refused(tuple(findings))

    def _accounts(self, member: Administrator) -> dict[str, AccountFacts]:
        found: dict[str, AccountFacts] = {}
        for wanted in self.wanted.accounts:
            answer = questions.account(member, wanted.user)
            if answer is not None:
                login = questions.try_login(member.server, wanted.credentials, self.tls)
                rights = frozenset(Right(*right) for right in answer[1])
                found[wanted.user] = AccountFacts(answer[0], rights, *login)
        return found


def _unanswered_all(answers: Mapping[str, ServerReport | NoAnswer]) -> tuple[Finding, ...]:
    return tuple(_unanswered(name, answer) for name, answer in answers.items() if isinstance(answer, NoAnswer))


def _locked(member: Administrator) -> bool:
    try:
        return member.take_lock()
    except AdministrationFailed as failure:
        raise Refused((_unanswered(failure.server, failure.answer),)) from failure


def _unanswered(name: str, answer: NoAnswer) -> Finding:
    what, separator, cure = answer.why.partition(": ")
    if not separator:
        what, cure = answer.why, "check that it runs and its log"
    return Finding("no_access" if answer.alive else "no_answer", name, what, cure)


def _silent(answers: Mapping[str, ServerReport | NoAnswer]) -> list[str]:
    return [name for name, answer in answers.items() if isinstance(answer, NoAnswer)]


def _refusing(answers: Mapping[str, ServerReport | NoAnswer]) -> bool:
    return any(isinstance(answer, NoAnswer) and answer.alive for answer in answers.values())


def _version(text: str) -> tuple[int, int]:
    first, second, *_ = text.split(".")
    return int(first), int(second)
