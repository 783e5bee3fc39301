"""What an operator is told about the cluster, as one process sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from inventory_replication.config import ClusterConfig, Server
from inventory_replication.decisions.routing_table import ServerLoad
from inventory_replication.decisions.snapshot import Cause, MemberState
from inventory_replication.monitor import View


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server.

    Args:
        name: As configured.
        address: ``host:port``.
        role: ``source``, ``replica``, or ``none`` for one that is neither now.
        state: ``source``, ``replica``, ``stalled``, ``unreachable``, ``refused`` or ``deposed`` (a former source that was
            replaced while it was away); ``draining`` for one that gets nothing new.
        staleness_seconds: Upper bound; 0 on the source, ``None`` where nothing is proved.
        in_flight: Units of work of this process on it.
        breaker: ``closed``, ``open`` or ``half_open``.
        reason: One line for people.
        semisync: Whether semisynchronous replication holds on its side; ``None`` where it is not installed.
        clock_ahead_seconds: By how much its clock is ahead of this process's; ``None``: it has not answered yet.
    """

    name: str
    address: str
    role: str
    state: str
    staleness_seconds: float | None
    in_flight: int
    breaker: str
    reason: str
    semisync: bool | None = None
    clock_ahead_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The cluster.

    Args:
        mode: ``normal``, ``source_only``, ``read_only`` or ``down``.
        epoch: How often this process has seen the source become another server, the first time included.
        source: Name of the server that is written to, if there is one.
        reason: One line for people: why there is this source, or none.
        servers: In configured order.
        lost_gtids: Transactions that an earlier source had confirmed and the present one has not; empty is good.
        cause: Why there is this source, or none; see `Cause`.
        isolated: This process reaches none of the servers.
        recorded_epoch: Number of the newest change of the source that a server has on record; 0: none.
    """

    mode: str
    epoch: int
    source: str | None
    reason: str
    servers: tuple[ServerStatus, ...]
    lost_gtids: str = ""
    cause: str = str(Cause.PROVED)
    isolated: bool = False
    recorded_epoch: int = 0


def describe(config: ClusterConfig, view: View, loads: Mapping[str, ServerLoad], now: float) -> ClusterStatus:
    """The status at a monotonic time."""
    table = view.table
    snapshot = table.snapshot
    return ClusterStatus(
        mode=str(table.mode),
        epoch=snapshot.epoch,
        source=table.source,
        reason=table.source_trouble or snapshot.reason,
        servers=tuple(_server(server, view, loads[server.name].in_flight, now) for server in config.servers),
        lost_gtids=snapshot.lost.compact(),
        cause=str(snapshot.cause),
        isolated=bool(snapshot.members) and all(member.state is MemberState.UNREACHABLE for member in snapshot.members),
        recorded_epoch=snapshot.lineage.record.epoch if snapshot.lineage.record else 0,
    )


def _server(server: Server, view: View, in_flight: int, now: float) -> ServerStatus:
    snapshot = view.table.snapshot
    member = snapshot.member(server.name)
    state = member.state if member else MemberState.UNREACHABLE
    role = "source" if state is MemberState.SOURCE else "replica" if member and member.readable else "none"
    replica = next((each for each in view.table.replicas if each.name == server.name), None)
    staleness = 0.0 if role == "source" else now - replica.complete_until if replica else None
    report = view.reports.get(server.name)
    semisync = None
    if report is not None:
        semisync = report.semisync_source if role == "source" else report.semisync_replica
    return ServerStatus(
        name=server.name,
        address=server.address,
        role=role,
        state="draining" if server.name in view.draining else str(state),
        staleness_seconds=max(staleness, 0.0) if staleness is not None and isfinite(staleness) else None,
        in_flight=in_flight,
        breaker=str(view.breakers[server.name].state),
        reason=member.reason if member else "It has not been asked yet.",
        semisync=semisync,
        clock_ahead_seconds=report.clock_ahead if report else None,
    )
