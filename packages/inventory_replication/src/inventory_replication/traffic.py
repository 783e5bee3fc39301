"""How much this process has running on each server."""

import threading
from collections.abc import Iterable
from time import monotonic

from inventory_replication.decisions.routing_table import ServerLoad


class Traffic:
    """Guards the `ServerLoad` of every server; the router reads them without a lock."""

    def __init__(self, names: Iterable[str]) -> None:
        self.loads = {name: ServerLoad() for name in names}
        self._lock = threading.Lock()

    def begin(self, name: str) -> float:
        """A unit of work begins on a server; gives the time for `end`."""
        with self._lock:
            self.loads[name].in_flight += 1
        return monotonic()

    def end(self, name: str, begun: float) -> None:
        """The unit of work has ended."""
        load = self.loads[name]
        now = monotonic()
        with self._lock:
            load.in_flight -= 1
            load.observe(now - begun, now)

    def give_up(self, name: str) -> None:
        """The unit of work never got its connection; its time says nothing about the work of others."""
        with self._lock:
            self.loads[name].in_flight -= 1

    def begin_wait(self, name: str) -> None:
        """A reader begins to wait for its own change."""
        with self._lock:
            self.loads[name].waiters += 1

    def end_wait(self, name: str) -> None:
        """The reader waits no more."""
        with self._lock:
            self.loads[name].waiters -= 1
