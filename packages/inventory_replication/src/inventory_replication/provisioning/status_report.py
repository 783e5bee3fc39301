"""The source and the positions of its replicas, on request; needs no running application."""

import math
import ssl
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from inventory_replication.config import Credentials, MonitorPolicy, Server
from inventory_replication.decisions.snapshot import (
    Answer,
    Cause,
    Member,
    MemberState,
    NoAnswer,
    ServerFacts,
    TopologySnapshot,
)
from inventory_replication.decisions.staleness import StalenessTracker
from inventory_replication.decisions.topology import decide_topology
from inventory_replication.mysql.probes import Probe

_ROUND = 0.1
_PROBE_POLICY = MonitorPolicy(connect_timeout=3.0, read_timeout=5.0)


@dataclass(frozen=True, slots=True)
class ObservedServer:
    """One server.

    Args:
        name: Its name.
        address: The address that was queried.
        state: See `MemberState`.
        reason: One line for people.
        staleness_seconds: Upper bound; ``None``: nothing was proved while it was watched.
        transactions_behind: Number of the source's transactions that it lacks; ``None``: unknown.
    """

    name: str
    address: str
    state: MemberState
    reason: str
    staleness_seconds: float | None
    transactions_behind: int | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All servers.

    Args:
        mode: See `Mode`.
        source: Name of the source; ``None``: there is none.
        reason: Why, for people.
        servers: In configured order.
    """

    mode: str
    source: str | None
    reason: str
    servers: tuple[ObservedServer, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is a source and every other server is a running replica of it."""
        states = {server.state for server in self.servers if server.name != self.source}
        return self.source is not None and states <= {MemberState.REPLICA}

    def as_json(self) -> dict[str, Any]:
        """Return the report for ``--json``."""
        listed = [
            {
                "name": server.name,
                "address": server.address,
                "state": str(server.state),
                "staleness_seconds": server.staleness_seconds,
                "transactions_behind": server.transactions_behind,
                "reason": server.reason,
            }
            for server in self.servers
        ]
        return {
            "healthy": self.healthy,
            "mode": self.mode,
            "source": self.source,
            "reason": self.reason,
            "servers": listed,
        }


def observe_cluster(
    servers: tuple[Server, ...], account: Credentials, tls: ssl.SSLContext | None, *, watch: float
) -> StatusReport:
    """Query all servers, repeatedly for up to ``watch`` seconds, until the staleness of each replica is proved.

    A replica proves its staleness when it gets what the source had at an earlier query.
    """
    tracker = StalenessTracker(1000)
    snapshot: TopologySnapshot | None = None
    until = time.monotonic() + watch
    with ExitStack() as opened:
        probes = [
            opened.enter_context(closing(Probe(each, account, tls=tls, policy=_PROBE_POLICY))) for each in servers
        ]
        while True:
            snapshot = _round(probes, tracker, snapshot)
            if snapshot.cause is Cause.SUSPECTED:
                continue
            proved = all(tracker.freshness(each.name).bound(0) < math.inf for each in snapshot.replicas)
            if proved or snapshot.source is None or time.monotonic() >= until:
                break
            time.sleep(_ROUND)
    now = time.monotonic()
    members = tuple(_status(server, snapshot, tracker, now) for server in servers)
    return StatusReport(str(snapshot.mode), snapshot.source.name if snapshot.source else None, snapshot.reason, members)


def _round(probes: list[Probe], tracker: StalenessTracker, before: TopologySnapshot | None) -> TopologySnapshot:
    """Query all servers, the source last, so that it is not behind its replicas."""
    source = before.source.name if before and before.source else None
    answers: dict[str, Answer] = {}
    probed_at: dict[str, float] = {}
    for probe in sorted(probes, key=lambda probe: probe.server.name == source):
        probed_at[probe.server.name] = time.monotonic()
        report = probe.query()
        answers[probe.server.name] = report if isinstance(report, NoAnswer) else report.facts
    ordered = {probe.server.name: answers[probe.server.name] for probe in probes}
    snapshot = decide_topology(ordered, before, time.monotonic())
    for member in snapshot.replicas:
        if isinstance(answers[member.name], ServerFacts):
            tracker.observe_replica(member.name, member.executed)
    if snapshot.source and isinstance(answers[snapshot.source.name], ServerFacts):
        tracker.observe_source(probed_at[snapshot.source.name], snapshot.source.executed)
    return snapshot


def _status(server: Server, snapshot: TopologySnapshot, tracker: StalenessTracker, now: float) -> ObservedServer:
    member = snapshot.member(server.name) or Member(server.name, MemberState.UNREACHABLE, "it was not probed")
    staleness = behind = None
    if member.readable:
        bound = tracker.freshness(member.name).bound(now)
        staleness = round(bound, 3) if math.isfinite(bound) else None
        behind = member.executed.count_missing(snapshot.source.executed) if snapshot.source else None
    return ObservedServer(server.name, server.address, member.state, member.reason, staleness, behind)
