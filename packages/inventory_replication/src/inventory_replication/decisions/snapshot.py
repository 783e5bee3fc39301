"""What servers reported in one round of the monitor, and the snapshot of the cluster that results from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from inventory_replication.decisions.gtid import EMPTY, GtidSet

RECORD_SCHEMA: Final = "inventory_replication"
RECORD_TABLE: Final = "source_epoch"


@dataclass(frozen=True, slots=True, order=True)
class SourceRecord:
    """A record of which server is the source, stored on the servers themselves.

    Provisioning and switchover write a row with the next epoch on a server before they open it for writes. It is replicated like
    everything else, so a server without the latest row has missed a change of the source.

    Args:
        epoch: Number of the change; grows by one with each.
        server_uuid: The server that became the source.
    """

    epoch: int
    server_uuid: str

    def supersedes(self, server_uuid: str, known: "SourceRecord | None") -> bool:
        """Return whether a server with this identity, whose latest record is ``known``, was replaced without noticing."""
        return self.server_uuid != server_uuid and (known is None or known.epoch < self.epoch)


def latest_record(records: Iterable[SourceRecord | None]) -> SourceRecord | None:
    """Return the record with the highest epoch; ``None`` if there is none."""
    return max((record for record in records if record is not None), default=None)


@dataclass(frozen=True, slots=True)
class ReplicationChannel:
    """One replication channel of a server, from ``performance_schema.replication_*`` or ``SHOW REPLICA STATUS``.

    Args:
        source_uuid: ``server_uuid`` of the server it replicates from; empty if it never connected.
        receiver_running: The receiver is ON (not OFF, not CONNECTING).
        applier_running: Coordinator and workers of the applier are ON.
        name: Empty for the default channel.
        source_address: Configured ``host:port``, for messages.
        receiver_enabled: The receiver is ON or CONNECTING: not switched off, but perhaps without a connection.
        receiver_error: Number and text of its last error; empty if there is none.
        applier_error: Number and text of the applier's last error; empty if there is none.
    """

    source_uuid: str
    receiver_running: bool
    applier_running: bool
    name: str = ""
    source_address: str = ""
    receiver_enabled: bool = True
    receiver_error: str = ""
    applier_error: str = ""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The answer of a server.

    Args:
        server_uuid: ``@@server_uuid``.
        server_id: ``@@server_id``.
        read_only: ``@@read_only``.
        super_read_only: ``@@super_read_only``.
        gtids_on: ``@@gtid_mode`` is ``ON`` (not ``ON_PERMISSIVE``).
        executed: ``@@gtid_executed``.
        channels: Its replication channels; empty if it replicates from no server.
        record: The latest source record on it; ``None``: there is none, or it may not be read.
    """

    server_uuid: str
    server_id: int
    read_only: bool
    super_read_only: bool
    gtids_on: bool
    executed: GtidSet
    channels: tuple[ReplicationChannel, ...] = ()
    record: SourceRecord | None = None

    @property
    def writable(self) -> bool:
        """Whether the server accepts writes from an ordinary account."""
        return not (self.read_only or self.super_read_only)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer.

    Args:
        why: One line for people.
        alive: The server proved that it is alive (wrong password, too many connections, bad certificate).
    """

    why: str
    alive: bool = False


Answer = ServerFacts | NoAnswer


class Mode(StrEnum):
    """What the cluster can do."""

    NORMAL = "normal"
    """Writes on the source, reads on replicas."""
    SOURCE_ONLY = "source_only"
    """No replica serves: the source does everything."""
    READ_ONLY = "read_only"
    """No source: reads with their staleness, no writes."""
    DOWN = "down"
    """Neither a source nor a replica."""


def find_mode(*, has_source: bool, replicas_running: Iterable[bool]) -> Mode:
    """Return what a source and replicas can do together. The only definition of the mode.

    Args:
        has_source: Whether there is a source to be used.
        replicas_running: For each replica to be used, whether its replication runs.
    """
    running = list(replicas_running)
    if has_source:
        return Mode.NORMAL if any(running) else Mode.SOURCE_ONLY
    return Mode.READ_ONLY if running else Mode.DOWN


class MemberState(StrEnum):
    """The role that a server can have."""

    SOURCE = "source"
    REPLICA = "replica"
    """Replicates from the source, and its replication runs."""
    STALLED = "stalled"
    """A replica whose replication does not run: its data is correct and gets older."""
    UNREACHABLE = "unreachable"
    DEPOSED = "deposed"
    """A former source that was replaced while it was away: it must be neither read nor written."""
    REFUSED = "refused"
    """Answers, but must be neither read nor written; the reason says what to fix."""


class Cause(StrEnum):
    """Why there is this source, or none."""

    PROVED = "proved"
    """Exactly one server is writable, and nothing contradicts it."""
    UNVERIFIED = "unverified"
    """The source is alive but refused the monitor; no other server is writable."""
    NO_WRITABLE_SERVER = "no_writable_server"
    SPLIT_BRAIN = "split_brain"
    """More than one server is writable, in two consecutive rounds."""
    SUSPECTED = "suspected"
    """More than one was writable in one round. Probes are sequential, so a switchover may look like this."""
    DEPOSED = "deposed"
    """The only writable server is a former source that was replaced and never joined its successor."""
    UNSUITABLE = "unsuitable"
    """The only writable server has other data, has GTIDs off, or shares its identity."""


@dataclass(frozen=True, slots=True)
class Member:
    """One classified server.

    Args:
        name: Its configured name.
        state: See `MemberState`.
        reason: One line for people.
        server_uuid: As of its last answer; empty if it never answered.
        executed: As of its last answer: it has at least this, unless it was rebuilt.
        copies: One of its channels receives or applies, so transactions of other servers may still arrive.
    """

    name: str
    state: MemberState
    reason: str
    server_uuid: str = ""
    executed: GtidSet = EMPTY
    copies: bool = False

    @property
    def readable(self) -> bool:
        """Whether it is a replica of this cluster, running or stalled."""
        return self.state in {MemberState.REPLICA, MemberState.STALLED}


@dataclass(frozen=True, slots=True)
class Lineage:
    """What must be remembered from one round to the next.

    Args:
        source_uuid: The last server that was proved to be the source.
        executed: What it was last known to have.
        deposed: Former sources that were not yet seen as replicas of a later one.
        lost: Transactions that an earlier source was known to have and the present one does not have.
        inherited: What the source before this one was last known to have.
        record: The latest source record on any server.
    """

    source_uuid: str = ""
    executed: GtidSet = EMPTY
    deposed: frozenset[str] = frozenset()
    lost: GtidSet = EMPTY
    inherited: GtidSet = EMPTY
    record: SourceRecord | None = None


@dataclass(frozen=True, slots=True)
class TopologySnapshot:
    """All servers as one round of the monitor found them. Immutable.

    Args:
        epoch: Number of source changes: 1 with the first source; grows by one exactly when another server becomes the source. A
            pool belongs to an epoch and is invalidated in the next.
        members: All servers in configured order.
        cause: Why there is this source, or none.
        reason: The same as one line for people, with what to do.
        taken_at: Monotonic time of the round.
        lineage: For the next round.
    """

    epoch: int
    members: tuple[Member, ...]
    cause: Cause
    reason: str
    taken_at: float
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def mode(self) -> Mode:
        """The mode of the servers as they were found. Units of work may use fewer of them: see `RoutingTable.mode`."""
        running = (member.state is MemberState.REPLICA for member in self.replicas)
        return find_mode(has_source=self.source is not None, replicas_running=running)

    @property
    def source(self) -> Member | None:
        """The one server that may be written to."""
        return next((member for member in self.members if member.state is MemberState.SOURCE), None)

    @property
    def replicas(self) -> tuple[Member, ...]:
        """Replicas of this cluster, running or stalled."""
        return tuple(member for member in self.members if member.readable)

    @property
    def lost(self) -> GtidSet:
        """Transactions that are known to be lost with an earlier source; must be empty."""
        return self.lineage.lost

    def member(self, name: str) -> Member | None:
        """Return the member of that name."""
        return next((member for member in self.members if member.name == name), None)

    def prunable_by(self) -> tuple[GtidSet, ...]:
        """Return the last known sets of all servers except the source, for `CausalToken.pruned`.

        A server that never answered stops the pruning.
        """
        return tuple(member.executed for member in self.members if member.state is not MemberState.SOURCE)
