"""Chooses the server of a unit of work, or raises why there is none. Every choice is counted with its reason."""

import random
from time import monotonic, sleep

from inventory_replication.config import RetryPolicy
from inventory_replication.decisions.routing import (
    ReadRequirements,
    RouteDecision,
    RouteReason,
    after_wait_failed,
    choose_reader,
    choose_writer,
)
from inventory_replication.decisions.routing_table import RoutingTable
from inventory_replication.decisions.snapshot import Cause
from inventory_replication.errors import (
    CausalTimeout,
    LostWriteDetected,
    NoEligibleReplica,
    ReplicationError,
    SourceUnavailable,
    SplitBrainDetected,
)
from inventory_replication.monitor import Monitor, View
from inventory_replication.stats import Counters

_PAUSE = 0.01


class Router:
    """Thread-safe."""

    def __init__(self, monitor: Monitor, counters: Counters, retry: RetryPolicy) -> None:
        self._monitor = monitor
        self._counters = counters
        self._retry = retry

    def reader(self, requirements: ReadRequirements, unreachable: list[str]) -> RouteDecision:
        """Choose the server of a read-only unit.

        Args:
            requirements: What it requires.
            unreachable: Servers that this unit has failed to reach.

        Raises:
            ReplicationError: No server may serve it; the class says why.
        """
        table = self._table(unreachable)
        decision = choose_reader(table, requirements, monotonic(), (random.random(), random.random()))  # noqa: S311
        return self._accepted(table, decision, "reader")

    def after_wait(
        self, requirements: ReadRequirements, failed: RouteDecision, unreachable: list[str]
    ) -> RouteDecision:
        """Choose the next server after a wait that ended without the token. Raises like `reader`."""
        table = self._table(unreachable)
        return self._accepted(table, after_wait_failed(table, requirements, failed, monotonic()), "reader")

    def writer(self) -> RouteDecision:
        """Choose the source.

        Raises:
            SourceUnavailable: There is none. During a switchover the next one is waited for, with a limit.
        """
        table = self._monitor.table()
        if table.source is None:
            table = self._after_switchover(table)
        return self._accepted(table, choose_writer(table), "writer")

    def is_current(self, decision: RouteDecision) -> bool:
        """Return whether the server that was chosen for a write is still the one that may be written to."""
        snapshot = self._monitor.view.table.snapshot
        return snapshot.epoch == decision.epoch and snapshot.cause is not Cause.SPLIT_BRAIN

    def _table(self, unreachable: list[str]) -> RoutingTable:
        table = self._monitor.table()
        for name in unreachable:
            table = table.without(name)
        return table

    def _after_switchover(self, table: RoutingTable) -> RoutingTable:
        """Return the table with the next source, or the last one without."""
        while table.source is None:
            view = self._monitor.view
            if view.table.source is not None:
                # The source appeared between reading the table and the view: only the table is outdated.
                return self._monitor.table()
            if not self._switching(view):
                return table
            self._monitor.refresh(self._retry.switchover_timeout)
            table = self._monitor.table()
            if table.source is None:
                sleep(_PAUSE)
        return table

    def _switching(self, view: View) -> bool:
        """Return whether a switchover is under way: the former source is read-only, or a second server seems writable."""
        snapshot = view.table.snapshot
        if snapshot.cause is Cause.SUSPECTED and view.sourceless_since is not None:
            return monotonic() - view.sourceless_since < self._retry.switchover_timeout
        if view.sourceless_since is None or snapshot.cause is not Cause.NO_WRITABLE_SERVER:
            return False
        former = snapshot.lineage.source_uuid
        stepped_down = any(member.server_uuid == former for member in snapshot.replicas)
        return stepped_down and monotonic() - view.sourceless_since < self._retry.switchover_timeout

    def _accepted(self, table: RoutingTable, decision: RouteDecision, role: str) -> RouteDecision:
        self._counters.count_unit(role, decision.server or "", decision.reason.value)
        if decision.server is None:
            raise self._refusal(table, decision)
        return decision

    def _refusal(self, table: RoutingTable, decision: RouteDecision) -> ReplicationError:
        match decision.reason:
            case RouteReason.SPLIT_BRAIN:
                writable = [member.name for member in table.snapshot.members if member.reason == table.snapshot.reason]
                return SplitBrainDetected(f"Nothing was written. {table.snapshot.reason}", servers=tuple(writable))
            case RouteReason.NO_SOURCE:
                return SourceUnavailable(
                    f"No server accepts writes at the moment; nothing was changed. {table.source_trouble} Try again shortly."
                )
            case RouteReason.CAUSAL_NOT_MET:
                return CausalTimeout()
            case RouteReason.LOST_WRITE:
                lost = decision.wait_for.compact() if decision.wait_for else ""
                self._counters.count_lost_write()
                return LostWriteDetected(gtids=lost)
            case _:
                return NoEligibleReplica()
