"""Administrative connections to all servers, and the state of these: the only way provisioning queries and changes them."""

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
from inventory_replication.provisioning import admin_queries
from inventory_replication.provisioning.plan.desired_state import DesiredState, Right
from inventory_replication.provisioning.plan.findings import ChecksFailed, Finding
from inventory_replication.provisioning.plan.server_state import AccountFacts, ChannelSettings, ServerState
from inventory_replication.provisioning.server_admin import AdminError, LockLost, ServerAdmin
from inventory_replication.provisioning.settings import RecordFile

POLL_SECONDS = 0.5
STRAGGLER_TIMEOUT_SECONDS = 15.0
"""Maximum wait for the other servers if a source with data answers and is enough."""
PROBE_POLICY = MonitorPolicy(connect_timeout=3.0, read_timeout=10.0)


class ClusterAdmin:
    """One `ServerAdmin` per server. Use it as a context manager: it closes all connections and releases all locks.

    Args:
        desired: Servers and their desired state.
        account: Administrative account, the same on all servers.
        tls: One context for all connections; ``None`` connects without TLS.
        memory: File that remembers the source; ``None``: nothing is remembered.
    """

    def __init__(
        self, desired: DesiredState, account: Credentials, tls: ssl.SSLContext | None, memory: RecordFile | None = None
    ) -> None:
        self.desired = desired
        self.account = account
        self.tls = tls
        self._memory = memory
        self._closing = ExitStack()
        self._servers = {
            server.name: self._closing.enter_context(ServerAdmin(server, account, tls=tls))
            for server in desired.servers
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def server(self, name: str) -> ServerAdmin:
        """Return the administrative connection to that server."""
        return self._servers[name]

    @property
    def names(self) -> frozenset[str]:
        """Names of the servers that are not excluded."""
        return frozenset(self._servers)

    def remember(self, record: SourceRecord) -> None:
        """Remember which server is the source, unless a later change is remembered.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        if self._memory:
            self._memory.write(record)

    def exclude(self, names: Iterable[str]) -> None:
        """Query and change these servers no more."""
        left = set(names)
        for name in left & self._servers.keys():
            self._servers.pop(name).close()
        self.desired = self.desired.without(left)

    def exclude_silent(self, wait: float) -> tuple[Finding, ...]:
        """Exclude servers that do not answer or refuse the account; return why. Changes nothing.

        Args:
            wait: Seconds to wait for all servers; at most `STRAGGLER_TIMEOUT_SECONDS` if a source with data answers.

        Raises:
            ChecksFailed: None of them answers.
        """
        until = time.monotonic() + wait
        with self._probes() as probes:
            answers = {name: probe.query() for name, probe in probes.items()}
            shortened = False
            while time.monotonic() < until and (silent := _silent(answers)) and not _refusing(answers):
                if not shortened and self._has_source_with_data(answers):
                    until, shortened = min(until, time.monotonic() + STRAGGLER_TIMEOUT_SECONDS), True
                time.sleep(POLL_SECONDS)
                answers |= {name: probes[name].query() for name in silent}
        findings = _unanswered_all(answers)
        if len(findings) == len(answers):
            raise ChecksFailed(findings)
        self.exclude(finding.server for finding in findings)
        return findings

    def lock(self, wait: float = 0.0) -> None:
        """Keep other runs away from all servers until this object is closed.

        Args:
            wait: Seconds to wait for servers that do not answer yet, and for another run to end.

        Raises:
            ChecksFailed: A server does not answer, or another run is active.
        """
        until = time.monotonic() + wait
        different = {report.facts.server_uuid: name for name, report in self._query(until).items()}
        for name in different.values():
            server = self._servers[name]
            while not _take_lock(server):
                if time.monotonic() >= until:
                    what = f"{name} ({server.server.address}) is being changed by another run of this command"
                    raise ChecksFailed((Finding("busy", name, what, "wait for its end, then run this command again"),))
                time.sleep(POLL_SECONDS)

    def gather(self, wait: float = 0.0) -> Mapping[str, ServerState]:
        """Query the full state of all servers; changes nothing.

        Args:
            wait: Seconds to wait for servers that do not answer yet, but not for one that refuses the account.

        Raises:
            ChecksFailed: A server does not answer; the error names each of those.
        """
        reports = self._query(time.monotonic() + wait)
        try:
            self._require_rights()
            states = {name: self._state(name, report) for name, report in reports.items()}
            return {
                name: replace(state, executed_later=self._servers[name].executed()) for name, state in states.items()
            }
        except LockLost as lost:
            what, _, cure = lost.answer.why.partition(": ")
            raise ChecksFailed((Finding("busy", lost.server, what, cure),)) from lost
        except AdminError as failure:
            raise ChecksFailed((_unanswered(failure.server, failure.answer),)) from failure

    def _query(self, until: float) -> dict[str, ServerReport]:
        with self._probes() as probes:
            answers = {name: probe.query() for name, probe in probes.items()}
            while time.monotonic() < until and (silent := _silent(answers)) and not _refusing(answers):
                time.sleep(POLL_SECONDS)
                answers |= {name: probes[name].query() for name in silent}
        findings = _unanswered_all(answers)
        if findings:
            raise ChecksFailed(findings)
        return {name: answer for name, answer in answers.items() if isinstance(answer, ServerReport)}

    @contextmanager
    def _probes(self) -> Iterator[dict[str, Probe]]:
        with ExitStack() as probes:
            yield {
                server.name: probes.enter_context(
                    closing(Probe(server, self.account, tls=self.tls, policy=PROBE_POLICY))
                )
                for server in self.desired.servers
            }

    def _has_source_with_data(self, answers: Mapping[str, ServerReport | NoAnswer]) -> bool:
        facts = {name: answer.facts for name, answer in answers.items() if isinstance(answer, ServerReport)}
        remembered = self.desired.remembered
        names = [name for name, fact in facts.items() if fact.writable] or [
            name for name, fact in facts.items() if remembered and fact.server_uuid == remembered.server_uuid
        ]
        with suppress(AdminError):
            return len(names) == 1 and bool(admin_queries.objects(self._servers[names[0]]))
        return False

    def _state(self, name: str, report: ServerReport) -> ServerState:
        server = self._servers[name]
        settings = admin_queries.settings(server)
        channel = admin_queries.channel(server)
        users = [account.user for account in self.desired.accounts]
        return ServerState(
            name=name,
            address=server.server.address,
            facts=report.facts,
            version=_version(report.version),
            settings=settings,
            persisted=admin_queries.persisted(server),
            purged=report.purged,
            has_first_log=admin_queries.has_first_log(server),
            objects=admin_queries.objects(server),
            schemas=admin_queries.schemas(server),
            accounts=self._accounts(server),
            other_accounts=admin_queries.other_accounts(server, users),
            channel=ChannelSettings(
                channel[0], channel[1] == "YES", channel[2], str(channel[3]) == "1", channel[4] == "YES"
            )
            if channel
            else None,
            offers_tls=admin_queries.offers_tls(server),
            clone_plugin=admin_queries.clone_plugin(server),
            tracking_fault=server.tracking_fault(),
            clock_ahead=admin_queries.clock_ahead(server),
        )

    def _require_rights(self) -> None:
        findings: list[Finding] = []
        for name, server in self._servers.items():
            lacking = admin_queries.missing_privileges(server)
            if lacking:
                what = f"{name} ({server.server.address}) does not grant {', '.join(lacking)} to the account {self.account.user}"
                cure = "grant it on *.*, or configure another administrative account"
                findings.append(Finding("admin_rights", name, what, cure))
        if findings:
            raise ChecksFailed(tuple(findings))

    def _accounts(self, server: ServerAdmin) -> dict[str, AccountFacts]:
        found: dict[str, AccountFacts] = {}
        for desired in self.desired.accounts:
            answer = admin_queries.account(server, desired.user)
            if answer is not None:
                login = admin_queries.try_login(server.server, desired.credentials, self.tls)
                rights = frozenset(Right(*right) for right in answer[1])
                found[desired.user] = AccountFacts(answer[0], rights, *login)
        return found


def _unanswered_all(answers: Mapping[str, ServerReport | NoAnswer]) -> tuple[Finding, ...]:
    return tuple(_unanswered(name, answer) for name, answer in answers.items() if isinstance(answer, NoAnswer))


def _take_lock(server: ServerAdmin) -> bool:
    try:
        return server.take_lock()
    except AdminError as failure:
        raise ChecksFailed((_unanswered(failure.server, failure.answer),)) from failure


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
