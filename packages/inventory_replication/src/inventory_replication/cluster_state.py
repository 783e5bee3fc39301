"""What the monitor knows after a round, what the next round must probe, and the log lines about changes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory_replication.config import ClusterConfig
from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.routing_table import RoutingTable, ServerLoad, build_routing_table
from inventory_replication.decisions.snapshot import Answer, Cause, NoAnswer, TopologySnapshot
from inventory_replication.decisions.staleness import StalenessTracker
from inventory_replication.decisions.topology import decide_topology
from inventory_replication.decisions.unresponsive import NONE_MISSED, MissedProbes, find_unresponsive
from inventory_replication.mysql.probes import ServerReport

_LOG = logging.getLogger("inventory_replication")


def log_mode(table: RoutingTable) -> None:
    """Log the mode, with the reason for it."""
    level = logging.INFO if table.source and table.replicas else logging.WARNING
    _LOG.log(level, "mode is %s: %s", table.mode, table.source_trouble or table.snapshot.reason)


def log_changes(before: TopologySnapshot | None, after: TopologySnapshot) -> None:
    """Log how a snapshot differs from the one before."""
    if before is None:
        return
    if before.epoch != after.epoch and after.source:
        _LOG.warning("the source is %s now (epoch %d)", after.source.name, after.epoch)
    if after.cause is Cause.SPLIT_BRAIN and before.cause is not Cause.SPLIT_BRAIN:
        _LOG.error("%s", after.reason)
    if after.lost and after.lost != before.lost:
        _LOG.error("confirmed transactions are missing on the present source: %s", after.lost.compact())
    states = {member.name: member.state for member in before.members}
    for member in after.members:
        if states.get(member.name) is not member.state:
            _LOG.warning("%s is %s: %s", member.name, member.state, member.reason)


def log_durability(name: str, before: ServerReport | None, after: ServerReport) -> None:
    """Log that a server stopped, or started, to wait for a replica on commit (semisynchronous replication)."""
    if before is None or before.semisync_source == after.semisync_source:
        return
    if after.semisync_source:
        _LOG.warning("%s waits for a replica with each commit again", name)
    elif before.semisync_source:
        _LOG.error("%s commits without waiting for a replica: what it confirms now may be lost with it", name)


def log_interrupted(name: str, number: int) -> None:
    """Log that readers of an unresponsive server were interrupted."""
    _LOG.warning("%s does not answer; readers cut off, to be served elsewhere: %d", name, number)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe, with the monotonic time before the probe was sent."""

    probed_at: float
    report: ServerReport | NoAnswer

    @property
    def silent(self) -> bool:
        """Whether the server gave no sign of life."""
        return isinstance(self.report, NoAnswer) and not self.report.alive


NOT_PROBED = ProbeResult(float("-inf"), NoAnswer("It has not been probed yet."))


@dataclass(slots=True)
class ClusterState:
    """State between two rounds. Mutable; the owner guards it with a lock and publishes the `RoutingTable` of `table`.

    Args:
        config: The cluster.
        loads: The load of every server, live.
    """

    config: ClusterConfig
    loads: Mapping[str, ServerLoad]
    breakers: dict[str, Breaker] = field(default_factory=dict)
    draining: set[str] = field(default_factory=set)
    reports: dict[str, ServerReport] = field(default_factory=dict)
    """The latest report of each server, for the status."""
    sourceless_since: float | None = None
    _snapshot: TopologySnapshot | None = None
    _tracker: StalenessTracker = field(init=False)
    _processed: dict[str, float] = field(default_factory=dict)
    _missed: dict[str, MissedProbes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tracker = StalenessTracker(self.config.monitor.history)
        for server in self.config.servers:
            self.breakers[server.name] = Breaker()

    def servers_to_probe(self, now: float) -> list[str]:
        """Return the servers of the next round, the source first.

        A replica that is probed after the source can prove that it has everything.
        """
        source = self._snapshot.source if self._snapshot else None
        names = [name for name, breaker in self.breakers.items() if breaker.may_probe(now)]
        if source and source.name in names:
            names.remove(source.name)
            names.insert(0, source.name)
        return names

    def apply_results(
        self, answers: Mapping[str, ProbeResult], now: float, jitter: float
    ) -> tuple[TopologySnapshot | None, bool]:
        """Update the state with the results of a round.

        Returns:
            The snapshot before, and whether the source became another server.
        """
        before = self._snapshot
        fresh = {name: each for name, each in answers.items() if self._processed.get(name) != each.probed_at}
        for name, each in fresh.items():
            if each is not NOT_PROBED:
                self._process(name, each, now, jitter)
        probed = {server.name: self._answer(server.name, answers[server.name], now) for server in self.config.servers}
        snapshot = decide_topology(probed, before, now)
        replaced = before is not None and snapshot.epoch != before.epoch
        if replaced:
            self._tracker = StalenessTracker(self.config.monitor.history)
        self._snapshot = snapshot
        self._measure(snapshot, fresh)
        if snapshot.source:
            self.sourceless_since = None
        elif self.sourceless_since is None:
            self.sourceless_since = now
        return before, replaced

    def table(self) -> RoutingTable:
        """Build the routing table of the current state."""
        snapshot = self._snapshot or decide_topology(
            {name: NoAnswer("It has not been probed yet.") for name in self.breakers}, None, float("-inf")
        )
        return build_routing_table(
            snapshot,
            self.config.routing,
            loads=self.loads,
            freshness={member.name: self._tracker.freshness(member.name) for member in snapshot.replicas},
            breakers=self.breakers,
            draining=self.draining,
            weights={server.name: server.weight for server in self.config.servers},
        )

    def find_unresponsive(self, table: RoutingTable) -> dict[str, float]:
        """Return servers whose readers wait in vain, with the time since when; see `decisions.unresponsive`."""
        return find_unresponsive(self._missed, self.breakers, table)

    def _process(self, name: str, answered: ProbeResult, now: float, jitter: float) -> None:
        policy = self.config.monitor.breaker
        self._processed[name] = answered.probed_at
        if isinstance(answered.report, ServerReport):
            log_durability(name, self.reports.get(name), answered.report)
            self.reports[name] = answered.report
        breaker = self.breakers[name]
        row = self._missed.get(name, NONE_MISSED)
        if row.count and not answered.silent:
            # The failures in a row were the monitor's own, and it has its answer now.
            breaker = breaker.after_success()
        self._missed[name] = row.after(answered.probed_at, answered=not answered.silent)
        self.breakers[name] = (
            breaker.after_failure(now, jitter, policy)
            if answered.silent
            else breaker.after_good_answer(answered.probed_at, now, policy)
        )

    def _answer(self, name: str, answered: ProbeResult, now: float) -> Answer:
        report = answered.report
        if isinstance(report, NoAnswer):
            return report
        if not self.breakers[name].may_probe(now):
            return NoAnswer("It is left alone for a while after failures to connect.")
        return report.facts

    def _measure(self, snapshot: TopologySnapshot, fresh: Mapping[str, ProbeResult]) -> None:
        source = snapshot.source
        if source and snapshot.cause is Cause.PROVED and source.name in fresh:
            self._tracker.observe_source(fresh[source.name].probed_at, source.executed)
        for member in snapshot.replicas:
            report = fresh[member.name].report if member.name in fresh else None
            if isinstance(report, ServerReport):
                self._tracker.observe_replica(member.name, report.facts.executed)
