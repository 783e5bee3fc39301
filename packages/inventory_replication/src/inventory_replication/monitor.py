"""The background thread of a process: it probes the servers, decides, and publishes an immutable routing table."""

import logging
import random
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import NamedTuple

from inventory_replication.cluster_state import NOT_PROBED, ClusterState, ProbeResult, log_changes, log_mode
from inventory_replication.config import ClusterConfig
from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.routing_table import RoutingTable, ServerLoad
from inventory_replication.decisions.snapshot import Cause, Mode
from inventory_replication.mysql.probes import Probe, ServerReport


class ProbeRunner:
    """Runs the probes of each round. Used by the monitor's thread alone.

    A server that answered last time is probed in this thread. One that did not is probed in a thread of its own, which ends with
    its answer, so that an unresponsive server delays only itself.
    """

    def __init__(self, config: ClusterConfig, tls: ssl.SSLContext | None) -> None:
        account = config.monitor_account or config.app
        self._probes = {
            server.name: Probe(server, account, tls=tls, policy=config.monitor) for server in config.servers
        }
        self._newest = dict.fromkeys(self._probes, NOT_PROBED)
        self._apart: dict[str, threading.Thread] = {}
        self._closed = False

    def query(self, names: Iterable[str], timeout: float) -> dict[str, ProbeResult]:
        """Probe these servers in this order, and return the latest result of every server.

        Args:
            names: Servers to probe; one whose probe is still running is skipped.
            timeout: Maximum seconds to wait for probes in threads of their own.
        """
        for name in names:
            thread = self._apart.get(name)
            if thread is not None and thread.is_alive():
                continue
            if self._newest[name].silent:
                self._apart[name] = threading.Thread(
                    target=self._probe, args=(name,), name=f"inventory-replication probe {name}", daemon=True
                )
                self._apart[name].start()
            else:
                self._probe(name)
        until = monotonic() + timeout
        for thread in self._apart.values():
            thread.join(max(until - monotonic(), 0.0))
        return dict(self._newest)

    def close(self, timeout: float) -> None:
        """Wait for running probes and close every connection; a probe that takes longer closes its own."""
        self._closed = True
        until = monotonic() + timeout
        for name, probe in self._probes.items():
            thread = self._apart.get(name)
            if thread is not None:
                thread.join(max(until - monotonic(), 0.0))
            if thread is None or not thread.is_alive():
                probe.close()

    def _probe(self, name: str) -> None:
        probed_at = monotonic()
        self._newest[name] = ProbeResult(probed_at, self._probes[name].query())
        if self._closed:
            self._probes[name].close()


_LOG = logging.getLogger("inventory_replication")


class View(NamedTuple):
    """What is published after each round and each change in between. Immutable except for the loads.

    Args:
        table: The routing table.
        breakers: Circuit breaker of each server.
        draining: Servers that get no new units of work.
        reports: The latest report of each server.
        sourceless_since: Monotonic time since when there has been no source; ``None`` while there is one.
        rounds: Number of completed rounds.
    """

    table: RoutingTable
    breakers: Mapping[str, Breaker]
    draining: frozenset[str]
    reports: Mapping[str, ServerReport]
    sourceless_since: float | None
    rounds: int


class Monitor:
    """Watches the servers for one process. Thread-safe; its thread starts with the first call of `table`.

    Args:
        config: Servers and policies.
        tls: One context for all connections of the process.
        loads: The load of every server, live.
        source_changed: Called in the monitor's thread when the source became another server, before the new table is published.
        interrupt_readers: Called in the monitor's thread, once per round, with the name of each unresponsive replica whose
            readers can be served elsewhere, and a monotonic time: a reader that has received nothing since then waits in vain.
    """

    def __init__(
        self,
        config: ClusterConfig,
        tls: ssl.SSLContext | None,
        loads: Mapping[str, ServerLoad],
        source_changed: Callable[[], None],
        interrupt_readers: Callable[[str, float], None],
    ) -> None:
        self._policy = config.monitor
        self._config = config
        self._source_changed = source_changed
        self._interrupt_readers = interrupt_readers
        self._probe_runner = ProbeRunner(config, tls)
        self._state = ClusterState(config, loads)
        self._changed = threading.Condition(threading.RLock())
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._logged_mode: Mode | None = None
        self._begun = 0
        self._ended = 0
        self._longest_round = self._policy.connect_timeout + 3 * self._policy.read_timeout + 1.0
        self.view = self._build_view()

    def table(self) -> RoutingTable:
        """Return the latest table. Start the thread if needed; wait, with a limit, if the last round is too long ago."""
        thread = self._thread
        table = self.view.table
        if thread is None or not thread.is_alive():
            self.start()
        elif monotonic() - table.snapshot.taken_at <= self._policy.poll_interval + self._longest_round:
            return table
        self.refresh(self._longest_round)
        table = self.view.table
        age = monotonic() - table.snapshot.taken_at
        return table if age <= self._policy.poll_interval + self._longest_round else table.outdated(age)

    def start(self) -> None:
        """Start the thread unless it runs; does not wait."""
        with self._changed:
            if self._closing or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="inventory-replication monitor", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Start the next round now; does not wait."""
        self._wake.set()

    def refresh(self, limit: float) -> bool:
        """Wait for a round that starts after this call; concurrent callers share it.

        Args:
            limit: Seconds after which the wait ends and returns ``False``.
        """
        with self._changed:
            if self._closing:
                return False
            target_round = self._begun + 1
            self._wake.set()
            return self._changed.wait_for(lambda: self._ended >= target_round or self._closing, limit)

    def note_failure(self, name: str) -> None:
        """Count a failure of a unit of work to connect to a server or to stay connected."""
        with self._changed:
            before = self._state.breakers[name]
            after = before.after_failure(monotonic(), random.random(), self._policy.breaker)  # noqa: S311
            self._state.breakers[name] = after
            if before.admits != after.admits:
                _LOG.warning("%s is left alone after failures to connect", name)
                self._publish()
        self._wake.set()

    def note_success(self, name: str) -> None:
        """Note that a server has served a unit of work."""
        if self.view.breakers[name].failures:
            with self._changed:
                self._state.breakers[name] = self._state.breakers[name].after_success()
                self._publish()

    def drain(self, name: str, *, draining: bool) -> None:
        """Assign no new units of work to a server, or assign them again."""
        with self._changed:
            (self._state.draining.add if draining else self._state.draining.discard)(name)
            self._publish()

    def close(self) -> None:
        """Stop the thread and close its connections; waits, with a limit, for a running probe."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(self._longest_round)

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                # Under the lock: a call of `refresh` between the two lines would wake this round and wait for the
                # next one.
                self._wake.clear()
                self._begun += 1
            try:
                self._round()
            except Exception:  # noqa: BLE001 - the thread must live
                # Without a round the table becomes outdated and proves no source; the next round may succeed.
                _LOG.exception("a round of the monitor failed")
            with self._changed:
                self._ended = self._begun
                self._changed.notify_all()
            if self.view.table.snapshot.cause is not Cause.SUSPECTED:
                self._wake.wait(self._policy.poll_interval)
        self._probe_runner.close(self._longest_round)

    def _round(self) -> None:
        began = monotonic()
        with self._changed:
            names = self._state.servers_to_probe(began)
        first = self._begun == 1
        answers = self._probe_runner.query(names, self._longest_round if first else 0.0)
        with self._changed:
            before, replaced = self._state.apply_results(answers, monotonic(), random.random())  # noqa: S311
            if replaced:
                self._source_changed()
            self._publish()
            in_vain = self._state.find_unresponsive(self.view.table)
        table = self.view.table
        if table.mode is not self._logged_mode:
            log_mode(table)
            self._logged_mode = table.mode
        log_changes(before, table.snapshot)
        for name, since in in_vain.items():
            self._interrupt_readers(name, since)

    def _publish(self) -> None:
        # A single assignment: readers see the old or the new view and need no lock.
        self.view = self._build_view()

    def _build_view(self) -> View:
        state = self._state
        return View(
            table=state.table(),
            breakers=dict(state.breakers),
            draining=frozenset(state.draining),
            reports=dict(state.reports),
            sourceless_since=state.sourceless_since,
            rounds=self._ended,
        )
