"""What the router knows of the servers, prepared once per round of the monitor so that a choice needs no parsing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from inventory_replication.config import RoutingPolicy
from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import MemberState, Mode, TopologySnapshot, find_mode
from inventory_replication.decisions.staleness import UNPROVED, Freshness

_FIRST_LATENCY = 0.001
_SHORTEST_LATENCY = 0.0001
_SMOOTHING = 0.2
_HALF_LIFE = 0.5
_CLOSED = Breaker()


@dataclass(slots=True)
class ServerLoad:
    """The load of one server by this process.

    Mutable: the owner guards changes with a lock; the router only reads and needs none.

    Args:
        in_flight: Units of work on it.
        waiters: Readers that wait on it for their own change.
        latency: Smoothed seconds per unit of work, at the end of the last one.
        observed_at: Monotonic time of that end.
    """

    in_flight: int = 0
    waiters: int = 0
    latency: float = _FIRST_LATENCY
    observed_at: float = 0.0

    def observe(self, seconds: float, now: float) -> None:
        """Add the duration of a finished unit to the moving average."""
        before = self.expected(now)
        self.latency = before + _SMOOTHING * (seconds - before)
        self.observed_at = now

    def expected(self, now: float) -> float:
        """Return the expected seconds of a unit.

        Observations decay with age: a server that was slow once would get no more work, so nothing new would ever be learned of
        it.
        """
        belief: float = 0.5 ** ((now - self.observed_at) / _HALF_LIFE)
        return max(self.latency * belief, _SHORTEST_LATENCY)


@dataclass(frozen=True, slots=True)
class ReadableReplica:
    """A replica that may serve.

    Args:
        name: Name of the server.
        executed: It has at least this.
        complete_until: See `Freshness.complete_until`.
        lag: See `Freshness.lag`.
        stalled: Its replication does not run: waiting on it is useless.
        weight: Its share of the reads.
        load: Shared with the owner, and live.
    """

    name: str
    executed: GtidSet
    complete_until: float
    lag: float
    stalled: bool
    weight: float
    load: ServerLoad


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """The input of every choice, immutable except for the loads.

    Args:
        snapshot: The topology.
        policy: The rules.
        source: Name of the source if units of work may use it, else ``None``.
        source_trouble: Why there is none, for people; empty if there is one.
        replicas: Those that may serve, freshest first.
    """

    snapshot: TopologySnapshot
    policy: RoutingPolicy
    source: str | None
    source_trouble: str
    replicas: tuple[ReadableReplica, ...]

    @property
    def epoch(self) -> int:
        """The epoch of the snapshot."""
        return self.snapshot.epoch

    @property
    def mode(self) -> Mode:
        """The mode for units of work: a server that is draining or left alone does not count."""
        running = (not replica.stalled for replica in self.replicas)
        return find_mode(has_source=self.source is not None, replicas_running=running)

    def without(self, name: str) -> "RoutingTable":
        """Return the table without one server, for a unit of work that just failed to reach it."""
        return replace(
            self,
            source=None if self.source == name else self.source,
            source_trouble=f"{name} could not be reached." if self.source == name else self.source_trouble,
            replicas=tuple(replica for replica in self.replicas if replica.name != name),
        )

    def outdated(self, seconds: float) -> "RoutingTable":
        """Return the table after the monitor was silent for this long: no server is proved to be the source any more."""
        since = f"for {seconds:.0f} s" if isfinite(seconds) else "yet"
        trouble = f"The servers have not been looked at {since}."
        return replace(self, source=None, source_trouble=trouble)


def build_routing_table(
    snapshot: TopologySnapshot,
    policy: RoutingPolicy,
    *,
    loads: Mapping[str, ServerLoad],
    freshness: Mapping[str, Freshness],
    breakers: Mapping[str, Breaker],
    draining: Collection[str],
    weights: Mapping[str, float],
) -> RoutingTable:
    """Build the table of servers that may be used: none whose breaker is open, and none that is draining.

    Args:
        snapshot: The topology.
        policy: The rules.
        loads: One for each server, kept by the caller from table to table.
        freshness: Of the replicas, measured against the source of this snapshot (or the last one, while there is none). A
            replica without an entry is unproved.
        breakers: By server; one without an entry is closed.
        draining: Servers that get no new units of work, possibly including the source.
        weights: By server; 1 by default.
    """

    def barred(name: str) -> str:
        if name in draining:
            return f"{name} is draining."
        return "" if breakers.get(name, _CLOSED).admits else f"{name} is left alone after failures to connect."

    source = snapshot.source
    trouble = barred(source.name) if source else snapshot.reason
    replicas = [
        ReadableReplica(
            name=member.name,
            executed=member.executed,
            complete_until=proved.complete_until,
            lag=proved.lag,
            stalled=member.state is MemberState.STALLED,
            weight=weights.get(member.name, 1.0),
            load=loads[member.name],
        )
        for member in snapshot.replicas
        if not barred(member.name)
        for proved in (freshness.get(member.name, UNPROVED),)
    ]
    replicas.sort(key=lambda replica: (replica.stalled, -replica.complete_until))
    return RoutingTable(snapshot, policy, source.name if source and not trouble else None, trouble, tuple(replicas))
