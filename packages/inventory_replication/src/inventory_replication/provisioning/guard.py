"""Reopens the recorded source after its restart and nothing else: an old source that comes back stays read-only.

Servers start read-only. This opens one without a person, in a process of its own that always runs; the application never does.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Self

from inventory_replication.config import MonitorPolicy
from inventory_replication.decisions.snapshot import NoAnswer, ServerFacts
from inventory_replication.mysql.probes import Probe, ServerReport
from inventory_replication.provisioning import admin_queries
from inventory_replication.provisioning.plan.roles import OpeningDecision, find_server_to_open
from inventory_replication.provisioning.server_admin import AdminError, ServerAdmin
from inventory_replication.provisioning.settings import Settings

_PROBE_POLICY = MonitorPolicy(connect_timeout=1.0, read_timeout=3.0)

Notify = Callable[[str], None]


class Guard:
    """Use it as a context manager; it closes all connections.

    Args:
        settings: Of all servers, with the administrative account.
        notify: Called with a line for each change of the result, and for each server that was opened.
    """

    def __init__(self, settings: Settings, notify: Notify) -> None:
        self._servers = {server.name: server for server in settings.servers}
        self._admin = settings.required("admin")
        self._tls = settings.tls
        self._memory = settings.memory()
        self._notify = notify
        self._last_line = ""
        self._silent: tuple[str, ...] = ()
        self._closing = ExitStack()
        self._probes = {
            name: self._closing.enter_context(closing(Probe(server, self._admin, tls=self._tls, policy=_PROBE_POLICY)))
            for name, server in self._servers.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def run(self, interval: float) -> None:
        """Check forever, at this interval in seconds."""
        while True:
            self.check()
            time.sleep(interval)

    def check(self) -> bool:
        """Query all servers once, open the recorded source if allowed, and return whether it accepts writes now.

        Raises:
            ConfigurationError: The file that remembers the source cannot be read or written.
        """
        answers = self._query()
        found = find_server_to_open(answers, self._memory.read() if self._memory else None)
        if found.server:
            found = self._open(found.server, [name for name, fact in answers.items() if fact])
        if found.healthy and self._memory:
            record = next((fact.record for fact in answers.values() if fact and fact.writable and fact.record), None)
            if record:
                self._memory.write(record)
        line = found.reason if found.healthy else " ".join([found.reason, *self._silent])
        if line != self._last_line:
            self._notify(line)
            self._last_line = line
        return found.healthy

    def _open(self, name: str, answering: list[str]) -> OpeningDecision:
        """Open the server unless another run is active or the servers have changed since the query."""
        with ExitStack() as opened:
            servers = {
                each: opened.enter_context(ServerAdmin(self._servers[each], self._admin, tls=self._tls))
                for each in answering
            }
            try:
                if not all(server.take_lock() for server in servers.values()):
                    return OpeningDecision(
                        None, "Another run of this command is in progress; nothing is opened meanwhile."
                    )
                again = find_server_to_open(self._query(), self._memory.read() if self._memory else None)
                if again.server != name:
                    return again
                if not admin_queries.closed_since_start(servers[name]):
                    why = f"{again.reason}, but was set to refuse writes after its start"
                    return OpeningDecision(None, f"{why}: run `inventory-replication provision` to open it.")
                servers[name].take_writes()
            except AdminError as failure:
                return OpeningDecision(None, f"{name} could not be opened: {failure}")
        return OpeningDecision(None, f"{again.reason}; it was opened for writes.", healthy=True)

    def _query(self) -> dict[str, ServerFacts | None]:
        reports = {name: probe.query() for name, probe in self._probes.items()}
        self._silent = tuple(f"{report.why}." for report in reports.values() if isinstance(report, NoAnswer))
        return {name: report.facts if isinstance(report, ServerReport) else None for name, report in reports.items()}
