"""Which server serves a unit of work, and why. Decided once, before the unit starts, and never changed within it."""

from enum import StrEnum
from math import isfinite
from typing import NamedTuple

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.routing_table import ReadableReplica, RoutingTable
from inventory_replication.decisions.snapshot import Cause
from inventory_replication.decisions.topology import find_lost

Draws = tuple[float, float]
"""Two random numbers, from 0 to below 1."""


class RouteReason(StrEnum):
    """The reason, for counters. The first group names a server, the second none."""

    WRITE = "write"
    REPLICA_FRESH = "replica_fresh"
    """No token, and within the bound."""
    REPLICA_CAUSAL = "replica_causal"
    """Known to have everything in the token."""
    REPLICA_WAIT = "replica_wait"
    """The most advanced replica; the read waits for the token first."""
    REPLICA_LAST = "replica_last"
    """Beyond the policy's bound, or stalled; kept in service as one of the last."""
    REPLICA_STALE_ALLOWED = "replica_stale_allowed"
    """Lacks the token; the reader accepts an older state while there is no source."""
    SOURCE_ASKED = "source_asked"
    """The reader requires the source."""
    SOURCE_NO_REPLICA = "source_no_replica"
    """No replica may serve within the bound."""
    SOURCE_AHEAD = "source_ahead"
    """No replica has the token or can be expected to have it in time."""
    SOURCE_WAITERS_FULL = "source_waiters_full"
    """Too many readers are waiting already."""
    SOURCE_UNKNOWN_COMMIT = "source_unknown_commit"
    """There was a commit with an unknown GTID."""
    SOURCE_NOT_BELIEVED = "source_not_believed"
    """The token was rejected."""
    SOURCE_AFTER_TIMEOUT = "source_after_timeout"
    """The wait on a replica ended without the token."""

    NO_SOURCE = "no_source"
    """A write, or a read that needs the source: raise `SourceUnavailable`."""
    SPLIT_BRAIN = "split_brain"
    """The same, because more than one server is writable: raise `SplitBrainDetected`."""
    NO_SERVER = "no_server"
    """Neither a replica within the bound nor a source: raise `NoEligibleReplica`."""
    CAUSAL_NOT_MET = "causal_not_met"
    """An older state could be read, but must not: raise `CausalTimeout`."""
    LOST_WRITE = "lost_write"
    """Part of the token (``wait_for``) was lost with a former source: raise `LostWriteDetected`."""


class ReadRequirements(NamedTuple):
    """What a read-only unit requires.

    Args:
        gtids: It must see these.
        unknown: It must see a commit whose GTID is unknown.
        rejected: A token was received and rejected.
        staleness_bound: Its own bound in seconds, which always holds; ``None``: the bound of the policy.
        allow_stale: If there is no source and the token cannot be met, accept an older state.
        from_source: Read from the source and nowhere else.
    """

    gtids: GtidSet = EMPTY
    unknown: bool = False
    rejected: bool = False
    staleness_bound: float | None = None
    allow_stale: bool = False
    from_source: bool = False


class RouteDecision(NamedTuple):
    """The choice.

    Args:
        server: Name of the server; ``None``: refuse, as `RouteReason` says.
        reason: See `RouteReason`.
        is_source: The server is the source.
        wait_for: Wait for these before the first read, and read only if the wait succeeds. ``None``: no wait.
        wait_limit: Seconds, above 0 if there is something to wait for.
        staleness: Upper bound at the time of the choice, before any wait; 0 on the source.
        epoch: The epoch of the table.
    """

    server: str | None
    reason: RouteReason
    is_source: bool
    wait_for: GtidSet | None
    wait_limit: float
    staleness: float
    epoch: int


def choose_writer(table: RoutingTable) -> RouteDecision:
    """Choose the source, or refuse. Writes are never queued."""
    if table.source is None:
        return _refused(table, _no_source(table))
    return RouteDecision(table.source, RouteReason.WRITE, True, None, 0.0, 0.0, table.epoch)


def choose_reader(table: RoutingTable, requirements: ReadRequirements, now: float, draws: Draws) -> RouteDecision:
    """Choose the server of a read-only unit.

    In this order: of the replicas within the bound that are known to have the token, the less busy of two random ones; the most
    advanced replica, after a limited wait; the source; a refusal. A reader with an unknown or rejected token goes to the source
    at once, and so does one that requires the source.

    Args:
        table: The latest one.
        requirements: See `ReadRequirements`.
        now: Monotonic seconds.
        draws: Select the two random replicas.
    """
    if requirements.from_source:
        if table.source is None:
            return _refused(table, _no_source(table))
        return _on_source(table, requirements, RouteReason.SOURCE_ASKED)
    if requirements.unknown or requirements.rejected:
        return _beyond_replicas(table, requirements, now, _source_reason(requirements))
    eligible = _eligible(table, requirements, now)
    if not eligible:
        return _beyond_replicas(table, requirements, now, RouteReason.SOURCE_NO_REPLICA)
    up_to_date = (
        [replica for replica in eligible if replica.executed.contains(requirements.gtids)]
        if requirements.gtids
        else eligible
    )
    if not up_to_date:
        return _wait_or_beyond(table, requirements, now, eligible)
    replica = _less_busy(up_to_date, now, draws)
    reason = RouteReason.REPLICA_CAUSAL if requirements.gtids else RouteReason.REPLICA_FRESH
    if requirements.staleness_bound is None and not _serves_by_policy(table, replica, now):
        reason = RouteReason.REPLICA_LAST
    return _on_replica(table, replica, reason, now)


def after_wait_failed(
    table: RoutingTable, requirements: ReadRequirements, failed: RouteDecision, now: float
) -> RouteDecision:
    """Choose after a wait that ended without the token: the source, a refusal, or an older state if allowed.

    Args:
        table: The latest one.
        requirements: Same as for the first choice.
        failed: The decision whose wait failed.
        now: Monotonic seconds.
    """
    lost = find_lost(requirements.gtids, table.snapshot)
    if lost:
        return _refused(table, RouteReason.LOST_WRITE, lost)
    if failed.is_source or table.policy.on_causal_timeout == "error":
        return _refused(table, RouteReason.CAUSAL_NOT_MET)
    return _beyond_replicas(table, requirements, now, RouteReason.SOURCE_AFTER_TIMEOUT)


def _serves_by_policy(table: RoutingTable, replica: ReadableReplica, now: float) -> bool:
    return not replica.stalled and now - replica.complete_until <= table.policy.staleness_bound


def _eligible(table: RoutingTable, requirements: ReadRequirements, now: float) -> list[ReadableReplica]:
    """Return the replicas that may serve this reader.

    If the reader has a bound of its own, nothing else counts. With the policy's bound, the freshest of the others are added
    until `min_serving_replicas` serve. If there is no source, a replica is the only choice: then the policy's bound excludes
    none if it would exclude all, and none at all for a reader with a token.
    """
    if requirements.staleness_bound is not None:
        return [replica for replica in table.replicas if now - replica.complete_until <= requirements.staleness_bound]
    policy = table.policy
    serving = [replica for replica in table.replicas if _serves_by_policy(table, replica, now)]
    if table.source is None:
        return serving if serving and not requirements.gtids else list(table.replicas)
    if len(serving) >= policy.min_serving_replicas:
        return serving
    limit = policy.last_resort_bound
    for replica in table.replicas:
        staleness = now - replica.complete_until
        tolerable = isfinite(staleness) and (limit is None or staleness <= limit)
        if tolerable and replica not in serving and len(serving) < policy.min_serving_replicas:
            serving.append(replica)
    return serving


def _less_busy(replicas: list[ReadableReplica], now: float, draws: Draws) -> ReadableReplica:
    """Choose by the power of two choices: the less busy of two random replicas."""
    count = len(replicas)
    if count == 1:
        return replicas[0]
    first = int(draws[0] * count)
    second = int(draws[1] * (count - 1))
    if second >= first:
        second += 1
    one, other = replicas[first], replicas[second]
    return one if _cost(one, now) <= _cost(other, now) else other


def _cost(replica: ReadableReplica, now: float) -> float:
    load = replica.load
    return (load.in_flight + 1) * load.expected(now) / replica.weight


def _wait_or_beyond(
    table: RoutingTable, requirements: ReadRequirements, now: float, replicas: list[ReadableReplica]
) -> RouteDecision:
    """Wait on the most advanced replica that can be expected to get the token in time."""
    limit = table.policy.causal_wait_timeout
    candidates = [
        replica for replica in replicas if not replica.stalled and (replica.lag <= limit or table.source is None)
    ]
    free = [replica for replica in candidates if replica.load.waiters < table.policy.max_waiters_per_replica]
    if not free:
        full = RouteReason.SOURCE_WAITERS_FULL if candidates else RouteReason.SOURCE_AHEAD
        return _beyond_replicas(table, requirements, now, full)
    lost = find_lost(requirements.gtids, table.snapshot)
    if lost:
        return _refused(table, RouteReason.LOST_WRITE, lost)
    best = min(
        free,
        key=lambda replica: (
            replica.executed.count_missing(requirements.gtids),
            -replica.complete_until,
            _cost(replica, now),
        ),
    )
    return _on_replica(table, best, RouteReason.REPLICA_WAIT, now, requirements.gtids)


def _on_replica(
    table: RoutingTable, replica: ReadableReplica, reason: RouteReason, now: float, wait_for: GtidSet | None = None
) -> RouteDecision:
    staleness = now - replica.complete_until
    wait_limit = table.policy.causal_wait_timeout if wait_for else 0.0
    return RouteDecision(replica.name, reason, False, wait_for, wait_limit, max(staleness, 0.0), table.snapshot.epoch)


def _beyond_replicas(
    table: RoutingTable, requirements: ReadRequirements, now: float, reason: RouteReason
) -> RouteDecision:
    """Choose the source; without one, refuse, or serve an older state if the reader allows it."""
    if table.source is not None:
        return _on_source(table, requirements, reason)
    if reason is RouteReason.SOURCE_NO_REPLICA:
        return _refused(table, RouteReason.NO_SERVER)
    if requirements.allow_stale:
        for replica in _eligible(table, requirements, now):
            return _on_replica(table, replica, RouteReason.REPLICA_STALE_ALLOWED, now)
    return _refused(table, RouteReason.CAUSAL_NOT_MET)


def _on_source(table: RoutingTable, requirements: ReadRequirements, reason: RouteReason) -> RouteDecision:
    """Choose the source; wait for the part of the token that it neither committed itself nor is known to have.

    That matters to an instance that has missed a switchover and still takes the former source for the present one.
    """
    source = table.snapshot.source
    wait_for: GtidSet | None = None
    if requirements.gtids and source is not None and not source.executed.contains(requirements.gtids):
        lost = find_lost(requirements.gtids, table.snapshot)
        if lost:
            return _refused(table, RouteReason.LOST_WRITE, lost)
        missing = requirements.gtids - source.executed
        wait_for = missing.of_uuids(missing.uuids() - {source.server_uuid}) or None
    wait_limit = table.policy.causal_wait_timeout if wait_for else 0.0
    return RouteDecision(table.source, reason, True, wait_for, wait_limit, 0.0, table.epoch)


def _source_reason(requirements: ReadRequirements) -> RouteReason:
    return RouteReason.SOURCE_NOT_BELIEVED if requirements.rejected else RouteReason.SOURCE_UNKNOWN_COMMIT


def _no_source(table: RoutingTable) -> RouteReason:
    return RouteReason.SPLIT_BRAIN if table.snapshot.cause is Cause.SPLIT_BRAIN else RouteReason.NO_SOURCE


def _refused(table: RoutingTable, reason: RouteReason, part: GtidSet | None = None) -> RouteDecision:
    return RouteDecision(None, reason, False, part, 0.0, 0.0, table.epoch)
