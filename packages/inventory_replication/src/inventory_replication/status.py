"""The status of the cluster, as one process sees it."""

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
        name: Its configured name.
        address: ``host:port``.
        role: ``source``, ``replica`` or ``none``.
        state: ``source``, ``replica``, ``stalled``, ``unreachable``, ``refused``, ``deposed`` (a former source that was replaced
            while it was away) or ``draining`` (gets no new units of work).
        staleness_seconds: Upper bound; 0 on the source, ``None`` if nothing is proved.
        in_flight: Units of work of this process on it.
        breaker: ``closed``, ``open`` or ``half_open``.
        reason: The reason for the state, one line for people.
        semisync: Whether semisynchronous replication is active on its side; ``None`` if it is not installed.
        clock_ahead_seconds: How far its clock is ahead of this process's; ``None`` before its first answer.
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
        epoch: How often this process has seen the source become another server, including the first time.
        source: Name of the server that is written to, if there is one.
        reason: Why there is this source, or none; one line for people.
        servers: In configured order.
        lost_gtids: Transactions that an earlier source had confirmed and the present one does not have; empty is good.
        cause: Why there is this source, or none; see `Cause`.
        isolated: This process reaches none of the servers.
        recorded_epoch: Epoch of the newest record of the source on a server; 0: none.
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


def build_status(config: ClusterConfig, view: View, loads: Mapping[str, ServerLoad], now: float) -> ClusterStatus:
    """Return the status at a monotonic time."""
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
        reason=member.reason if member else "It has not been probed yet.",
        semisync=semisync,
        clock_ahead_seconds=report.clock_ahead if report else None,
    )
