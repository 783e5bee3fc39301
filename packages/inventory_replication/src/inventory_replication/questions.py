"""Asking the servers, round by round, so that one that does not answer holds up nobody but itself for long."""

import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from inventory_replication.config import ClusterConfig
from inventory_replication.decisions.facts import NoAnswer
from inventory_replication.mysql.probes import Probe, ServerReport


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, or that there was none, and the monotonic time before the question was sent."""

    asked_at: float
    report: ServerReport | NoAnswer

    @property
    def silent(self) -> bool:
        """Whether the server gave no sign of life."""
        return isinstance(self.report, NoAnswer) and not self.report.alive


NEVER_ASKED = Answered(float("-inf"), NoAnswer("It has not been asked yet."))


class Questions:
    """To be used by the monitor's thread alone.

    A server that answered last time is asked at once. One that did not is asked in a thread of its own, which ends with its
    answer, so that the others are looked at as often as ever.
    """

    def __init__(self, config: ClusterConfig, tls: ssl.SSLContext | None) -> None:
        account = config.monitor_account or config.app
        self._probes = {
            server.name: Probe(server, account, tls=tls, policy=config.monitor) for server in config.servers
        }
        self._newest = dict.fromkeys(self._probes, NEVER_ASKED)
        self._apart: dict[str, threading.Thread] = {}
        self._closed = False

    def ask(self, names: Iterable[str], patience: float) -> dict[str, Answered]:
        """Ask these servers, in this order, and give the newest answer of every server.

        Args:
            names: Whom to ask; one that is still being asked is not asked again.
            patience: So many seconds at most are waited for those that are asked apart.
        """
        for name in names:
            thread = self._apart.get(name)
            if thread is not None and thread.is_alive():
                continue
            if self._newest[name].silent:
                self._apart[name] = threading.Thread(
                    target=self._put, args=(name,), name=f"inventory-replication asks {name}", daemon=True
                )
                self._apart[name].start()
            else:
                self._put(name)
        until = monotonic() + patience
        for thread in self._apart.values():
            thread.join(max(until - monotonic(), 0.0))
        return dict(self._newest)

    def close(self, patience: float) -> None:
        """Wait for those that are being asked, and close every connection; one that takes longer closes its own."""
        self._closed = True
        until = monotonic() + patience
        for name, probe in self._probes.items():
            thread = self._apart.get(name)
            if thread is not None:
                thread.join(max(until - monotonic(), 0.0))
            if thread is None or not thread.is_alive():
                probe.close()

    def _put(self, name: str) -> None:
        asked_at = monotonic()
        self._newest[name] = Answered(asked_at, self._probes[name].ask())
        if self._closed:
            self._probes[name].close()
