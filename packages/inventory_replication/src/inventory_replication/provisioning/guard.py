"""Opens the recorded source again after its restart, and nothing else: an old source that comes back stays closed.

Servers refuse writes when they start. This is what opens one without a person, in a process of its own that is always there; the
running application never does.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Self

from inventory_replication.config import MonitorPolicy
from inventory_replication.decisions.snapshot import NoAnswer, ServerFacts
from inventory_replication.mysql.probes import Probe, ServerReport
from inventory_replication.provisioning import admin_queries as questions
from inventory_replication.provisioning.roles import Opening, find_server_to_open
from inventory_replication.provisioning.server_admin import AdministrationFailed, Administrator
from inventory_replication.provisioning.settings import Settings

_PATIENCE = MonitorPolicy(connect_timeout=1.0, read_timeout=3.0)

Say = Callable[[str], None]


class Guard:
    """Use it as a context; at its end all connections are closed.

    Args:
        settings: Of all servers, with the administrator's account.
        say: Called with a line for each change of what is found, and for each server that was opened.
    """

    def __init__(self, settings: Settings, say: Say) -> None:
        self._servers = {server.name: server for server in settings.servers}
        self._admin = settings.required("admin")
        self._tls = settings.tls
        self._memory = settings.memory()
        self._say = say
        self._said = ""
        self._silent: tuple[str, ...] = ()
        self._closing = ExitStack()
        self._probes = {
            name: self._closing.enter_context(closing(Probe(server, self._admin, tls=self._tls, policy=_PATIENCE)))
            for name, server in self._servers.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def run(self, interval: float) -> None:
        """Check for ever, with a pause of so many seconds."""
        while True:
            self.check()
            time.sleep(interval)

    def check(self) -> bool:
        """Ask all servers once and open the recorded source if it may be; return whether it takes writes now.

        Raises:
            ConfigurationError: The file that remembers the source cannot be read or written.
        """
        answers = self._ask()
        found = find_server_to_open(answers, self._memory.read() if self._memory else None)
        if found.server:
            found = self._open(found.server, [name for name, fact in answers.items() if fact])
        if found.well and self._memory:
            record = next((fact.record for fact in answers.values() if fact and fact.writable and fact.record), None)
            if record:
                self._memory.write(record)
        line = found.reason if found.well else " ".join([found.reason, *self._silent])
        if line != self._said:
            self._say(line)
            self._said = line
        return found.well

    def _open(self, name: str, answering: list[str]) -> Opening:
        """Open the server unless another run is at work, or the servers are not any more what they were a moment ago."""
        with ExitStack() as opened:
            members = {
                each: opened.enter_context(Administrator(self._servers[each], self._admin, tls=self._tls))
                for each in answering
            }
            try:
                if not all(member.take_lock() for member in members.values()):
                    return Opening(None, "Another run of this command is at work; nothing is opened meanwhile.")
                again = find_server_to_open(self._ask(), self._memory.read() if self._memory else None)
                if again.server != name:
                    return again
                if not questions.closed_since_start(members[name]):
                    why = f"{again.reason}, but was told to refuse writes since its start"
                    return Opening(None, f"{why}: run `inventory-replication provision` to open it.")
                members[name].take_writes()
            except AdministrationFailed as failure:
                return Opening(None, f"{name} could not be opened: {failure}")
        return Opening(None, f"{again.reason}; it was opened for writes.", well=True)

    def _ask(self) -> dict[str, ServerFacts | None]:
        reports = {name: probe.ask() for name, probe in self._probes.items()}
        self._silent = tuple(f"{report.why}." for report in reports.values() if isinstance(report, NoAnswer))
        return {name: report.facts if isinstance(report, ServerReport) else None for name, report in reports.items()}
